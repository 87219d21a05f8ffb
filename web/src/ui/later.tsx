// A page, or a part of one, whose code comes when it is first needed. React's own way holds back what has come for a third of a second
// after something stood in its place; this shows it at once.
import { type ComponentType, type ReactNode, useEffect, useState } from "react";
import { t } from "../lib/text";
import { Failure } from "./state";

type Later<P> = ComponentType<P> & {
  /** Has the code come before it is shown. */
  expect: () => void;
};

export function later<P extends object>(load: () => Promise<ComponentType<P>>, waiting: () => ReactNode): Later<P> {
  const code = new Code(load);
  return Object.assign((props: P) => <Coming code={code} props={props} waiting={waiting} />, {
    expect: () => void code.fetch().catch(() => undefined),
  });
}

class Code<P> {
  component: ComponentType<P> | undefined;
  private coming: Promise<void> | undefined;

  constructor(private readonly load: () => Promise<ComponentType<P>>) {}

  fetch(): Promise<void> {
    this.coming ??= this.load().then((component) => {
      this.component = component;
    });
    return this.coming;
  }
}

type ComingProps<P> = { code: Code<P>; props: P; waiting: () => ReactNode };

function Coming<P extends object>({ code, props, waiting }: ComingProps<P>) {
  const [state, setState] = useState<"waiting" | "there" | "failed">("waiting");
  useEffect(() => {
    let isShown = true;
    code.fetch().then(
      () => isShown && setState("there"),
      () => isShown && setState("failed"),
    );
    return () => {
      isShown = false;
    };
  }, [code]);
  if (code.component) return <code.component {...props} />;
  // Another version of the server has other files, and the page begins anew with them.
  if (state === "failed")
    return <Failure error={new Error(t("state.pageNotLoaded"))} retry={() => location.reload()} />;
  return waiting();
}
