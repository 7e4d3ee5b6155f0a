// Attaches behaviors to elements by their data-module. Every page works without this file.
import { initAll } from "../vendor/govuk-frontend/govuk-frontend.js";

const version = new URL(import.meta.url).search;

export async function attach(root) {
  for (const element of root.querySelectorAll("[data-module]")) {
    for (const name of element.dataset.module.split(/\s+/)) {
      if (!name || name.startsWith("govuk-") || element.dataset[`attached${name.replace(/\W/g, "")}`]) continue;
      element.dataset[`attached${name.replace(/\W/g, "")}`] = "1";
      try {
        const module = await import(`./modules/${name}.js${version}`);
        module.default(element, { attach });
      } catch (error) {
        console.error(`Module ${name} failed`, error);
      }
    }
  }
}

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();
attach(document);
