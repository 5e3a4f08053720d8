/* Draws the figures of a document. Each <figure class="eai-figure"> carries its data as JSON: a list of controls and one
 * frame for every combination of their settings. No kernel is asked for these. In JupyterLab a figure that names its
 * drawer (data-live) asks the notebook's kernel for settings between the frames. */
(function () {
  "use strict";

  const CONFIG = { displayModeBar: false, responsive: true };
  const FINE = 0.1; /* step of a slider that may stand between two frames */
  const WAIT = 120; /* milliseconds of rest before the kernel is asked */
  const figures = new Set();

  /* The site says its theme on <html>; JupyterLab, its exports and VS Code say theirs on <body>. */
  function dark() {
    const site = document.documentElement.dataset.theme;
    if (site) return site === "dark";
    const body = document.body.dataset;
    if (body.jpThemeLight) return body.jpThemeLight === "false";
    return /vscode-(dark|high-contrast)(?!-light)/.test(document.body.className);
  }

  /* The kernel of the notebook that holds an element; null where JupyterLab does not show its application, or none runs. */
  function kernelOf(element) {
    const app = window.jupyterapp;
    if (!app) return null;
    for (const widget of app.shell.widgets("main")) {
      if (widget.node.contains(element)) {
        const context = widget.sessionContext || (widget.context && widget.context.sessionContext);
        return (context && context.session && context.session.kernel) || null;
      }
    }
    return null;
  }

  class Figure {
    constructor(element) {
      this.element = element;
      this.plot = element.querySelector(".eai-plot");
      this.readout = element.querySelector(".eai-readout");
      this.inputs = Array.from(element.querySelectorAll(".eai-control input"));
      this.spec = JSON.parse(element.querySelector("script.eai-spec").textContent);
      this.plot.querySelectorAll(".eai-undrawn").forEach((note) => note.remove());
      this.inputs.forEach((input, i) => {
        if (element.dataset.live && this.spec.controls[i].values && kernelOf(element)) input.step = FINE;
        input.addEventListener("input", () => this.draw());
        /* What is left of the slider when the hand is taken off it. */
        input.addEventListener("change", () => this.draw());
      });
      this.draw();
      element.dataset.ready = "true";
    }

    position() {
      return this.inputs.map((input) => Number(input.value));
    }

    draw() {
      const wanted = this.position();
      const frame = wanted.map(Math.round);
      this.label(frame.map((setting, i) => this.spec.controls[i].labels[setting]));
      this.put(this.spec.frames[frame.join(",")]);
      clearTimeout(this.waiting);
      if (wanted.some((value) => value !== Math.round(value))) this.waiting = setTimeout(() => this.ask(wanted), WAIT);
    }

    label(labels) {
      this.inputs.forEach((input, i) => {
        input.closest(".eai-control").querySelector("output").textContent = labels[i];
        input.setAttribute("aria-valuetext", labels[i]);
      });
    }

    put(frame) {
      /* Plotly writes into what it is given, so it gets a copy and the frame stays as it was. */
      const figure = structuredClone({ data: frame.data, layout: { ...this.spec.layout, ...frame.layout } });
      this.shown = frame;
      figure.layout.template = window.eaiThemes[dark() ? "dark" : "light"];
      figure.layout.autosize = true;
      window.Plotly.react(this.plot, figure.data, figure.layout, CONFIG);
      if (this.readout) this.readout.textContent = frame.readout;
    }

    /* The kernel's answer is taken if the sliders still stand where they stood; without one the nearest frame stays. */
    async ask(wanted) {
      const kernel = kernelOf(this.element);
      if (!kernel) return this.whole();
      const call = `__import__("efficient_ai.plotting._live", fromlist=["frame"]).frame("${this.element.dataset.live}", ${JSON.stringify(wanted)})`;
      let found;
      try {
        const request = { code: "", silent: true, store_history: false, user_expressions: { frame: call } };
        const reply = await kernel.requestExecute(request).done;
        found = reply.content.user_expressions.frame.data["application/json"];
      } catch (error) {
        return this.whole();
      }
      if (String(this.position()) !== String(wanted)) return;
      if (!found || found.gone) return this.whole();
      this.label(found.labels);
      if (found.data) this.put(found);
      else this.readout.textContent = found.error;
    }

    /* No kernel knows this figure any more: back to settings that are drawn. */
    whole() {
      this.inputs.forEach((input) => {
        input.step = 1;
        input.value = Math.round(Number(input.value));
      });
      this.draw();
    }
  }

  function add(element) {
    if (element && !element.dataset.ready) figures.add(new Figure(element));
  }

  /* Outputs of notebooks line up here before or after this script has come. */
  window.eaiDraw = function () {
    const queue = window.eaiQueue || [];
    while (queue.length) {
      const element = document.getElementById(queue.shift());
      if (element) requestAnimationFrame(() => add(element));
    }
  };

  function start() {
    document.querySelectorAll("figure.eai-figure").forEach(add);
    window.eaiDraw();
    const again = () =>
      figures.forEach((figure) => (figure.element.isConnected ? figure.put(figure.shown) : figures.delete(figure)));
    const observer = new MutationObserver(again);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
