import type { Translation } from "../text";
export const zh: Translation = {};
