// Mends what the theme leaves to be said for readers who listen to a page, and one call of the widget manager.
(function () {
  "use strict";

  // The arrows that unfold the navigation have no name.
  function nameArrows() {
    for (const summary of document.querySelectorAll("li.has-children > details > summary")) {
      const link = summary.closest("li").querySelector("a");
      if (link) summary.setAttribute("aria-label", "Pages under " + link.textContent.trim());
    }
  }

  // Labels that say something else than the words one sees: the words are the better name.
  function wordsAsNames() {
    const wrong = ".search-button-field, details.hide > summary, details.toggle-details > summary";
    for (const element of document.querySelectorAll(wrong)) {
      if (element.textContent.trim()) element.removeAttribute("aria-label");
    }
  }

  // The bibliography is marked up as a list with children that no list may have.
  function plainBibliography() {
    for (const list of document.querySelectorAll(".citation-list[role=list]")) list.removeAttribute("role");
  }

  // The handles of saved sliders get the name of their slider, once the widget manager has drawn them.
  function nameHandles() {
    for (const handle of document.querySelectorAll(".noUi-handle:not([aria-label])")) {
      const label = handle.closest(".jupyter-widgets")?.querySelector(".widget-label")?.textContent.trim();
      handle.setAttribute("aria-label", label || "Slider");
    }
  }

  // Whatever scrolls must be reachable by keyboard.
  function reachScrolling() {
    for (const box of document.querySelectorAll("pre, .cell_output, .pst-scrollable-table-container, mjx-container")) {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    }
  }

  // The widget manager asks for MathJax 2's queue; the page has MathJax 3.
  function oldMathJax() {
    if (!window.MathJax || window.MathJax.Hub) return;
    const typeset = (element) => window.MathJax.typesetPromise && window.MathJax.typesetPromise([element]);
    window.MathJax.Hub = { Queue: (command) => typeset(command[2]), Config: () => {}, Configured: () => {} };
  }

  document.addEventListener("DOMContentLoaded", () => {
    nameArrows();
    wordsAsNames();
    plainBibliography();
    oldMathJax();
    if (document.querySelector('script[type="application/vnd.jupyter.widget-view+json"]')) {
      new MutationObserver(nameHandles).observe(document.body, { childList: true, subtree: true });
    }
  });
  window.addEventListener("load", () => { oldMathJax(); wordsAsNames(); reachScrolling(); });
  window.addEventListener("resize", reachScrolling);
})();
