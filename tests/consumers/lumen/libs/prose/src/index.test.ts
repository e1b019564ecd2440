import { expect, it } from "vitest";
import { readingTime } from "./index";

it("rounds up", () => expect(readingTime("word ".repeat(201))).toBe(2));

it("takes a minute at least", () => expect(readingTime("")).toBe(1));
