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

  // The scoreboard shows the verdict and the paper that were chosen; a fold opens when a filter looks into it.
  function filterClaims() {
    const lists = [...document.querySelectorAll(".scoreboard-filters select")];
    if (!lists.length) return;
    const wanted = Object.fromEntries(lists.map((list) => [list.dataset.filter, list.value]));
    const shows = (row) =>
      (!wanted.verdict || row.dataset.verdict === wanted.verdict) && (!wanted.paper || row.dataset.paper === wanted.paper);
    let shown = 0;
    for (const row of document.querySelectorAll(".eai-claims tr[data-verdict]")) {
      row.hidden = !shows(row);
      shown += !row.hidden;
    }
    for (const head of document.querySelectorAll(".eai-claims tr.sentence")) {
      let next = head.nextElementSibling;
      head.hidden = true;
      for (; next && !next.classList.contains("sentence"); next = next.nextElementSibling) {
        if (!next.hidden) head.hidden = false;
      }
    }
    for (const table of document.querySelectorAll(".eai-claims")) {
      table.hidden = !table.querySelector("tr[data-verdict]:not([hidden])");
    }
    for (const fold of document.querySelectorAll(".scoreboard-more")) {
      fold.hidden = !fold.querySelector("tr[data-verdict]:not([hidden])");
      fold.open = Boolean(wanted.verdict) && !fold.hidden;
    }
    for (const chip of document.querySelectorAll(".scoreboard-picture a.chip")) {
      chip.style.opacity = wanted.verdict && chip.dataset.verdict !== wanted.verdict ? 0.15 : 1;
    }
    for (const row of document.querySelectorAll(".scoreboard-picture tr[data-paper]")) {
      row.hidden = Boolean(wanted.paper) && row.dataset.paper !== wanted.paper;
    }
    document.querySelector(".scoreboard-shown").textContent = wanted.verdict || wanted.paper ? `${shown} claims` : "";
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const list of document.querySelectorAll(".scoreboard-filters select")) {
      list.addEventListener("change", filterClaims);
    }
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
