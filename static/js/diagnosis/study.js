// The page of a film: viewer, review panel, regions, copy buttons.
import { enableRegions } from "../reading/region.js";
import "../reading/review.js";
import { showCopyButtons } from "../shared/copy_buttons.js";
import { Viewer } from "./viewer/viewer.js";

export const viewer = new Viewer(document.querySelector("[data-viewer]"));
enableRegions(viewer.viewport.osd);
showCopyButtons();
