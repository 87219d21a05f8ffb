import { createRoot } from "react-dom/client";
import { App } from "./app/app";
import { loadCatalogue, preferredLanguage } from "./lib/text";
import { applyTheme, currentTheme } from "./lib/theme";
import "./ui/styles/tokens.css";
import "./ui/styles/base.css";
import "./ui/styles/controls.css";
import "./ui/styles/surfaces.css";
import "./ui/styles/layout.css";
import "./ui/styles/ask.css";

applyTheme(currentTheme());
await loadCatalogue(preferredLanguage());
const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
