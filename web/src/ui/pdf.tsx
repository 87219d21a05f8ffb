import { later } from "./later";
import type { PdfProps } from "./pdf-page";
import { Waiting } from "./state";

/** The pages of a PDF; what draws them comes with the first. */
export const PdfPages = later<PdfProps>(
  async () => (await import("./pdf-page")).PdfPages,
  () => <Waiting rows={1} height="30rem" />,
);
