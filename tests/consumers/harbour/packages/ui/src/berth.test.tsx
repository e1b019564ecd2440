import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { Berth } from "./berth.js";

it("begins closed", () => {
  expect(renderToStaticMarkup(<Berth name="7" />)).toContain('aria-expanded="false"');
});
