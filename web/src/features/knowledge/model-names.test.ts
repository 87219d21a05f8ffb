import { expect, test } from "vitest";
import { languageNames, modelName } from "./model-names";

test("an own model is called without its provider's id, the server's as it is", () => {
  expect(modelName("01890a5d-ac96-774b-bcce-b302099a8057/acme/wren-2")).toBe("acme/wren-2");
  expect(modelName("ibm-granite/granite-embedding")).toBe("ibm-granite/granite-embedding");
});

test("languages are called by their names", () => {
  expect(languageNames(["en", "de"])).toBe("English & German");
});
