/* Draws the figures of a page. Each <figure class="eai-figure"> carries its data as JSON: a list of controls and one
 * frame for every combination of their settings. No kernel is asked for anything. */
(function () {
  "use strict";

  const CONFIG = { displayModeBar: false, responsive: true };

  function template() {
    const dark = document.documentElement.dataset.theme === "dark";
    return window.eaiThemes[dark ? "dark" : "light"];
  }

  class Figure {
    constructor(element) {
      this.plot = element.querySelector(".eai-plot");
      this.readout = element.querySelector(".eai-readout");
      this.inputs = Array.from(element.querySelectorAll(".eai-control input"));
      this.spec = JSON.parse(element.querySelector("script.eai-spec").textContent);
      this.inputs.forEach((input) => input.addEventListener("input", () => this.draw()));
      this.draw();
      element.dataset.ready = "true";
    }

    draw() {
      const setting = this.inputs.map((input) => Number(input.value));
      this.inputs.forEach((input, i) => {
        const label = this.spec.controls[i].labels[setting[i]];
        input.closest(".eai-control").querySelector("output").textContent = label;
        input.setAttribute("aria-valuetext", label);
      });
      const frame = this.spec.frames[setting.join(",")];
      /* Plotly writes into what it is given, so it gets a copy and the frame stays as it was. */
      const figure = structuredClone({ data: frame.data, layout: { ...this.spec.layout, ...frame.layout } });
      figure.layout.template = template();
      figure.layout.autosize = true;
      window.Plotly.react(this.plot, figure.data, figure.layout, CONFIG);
      if (this.readout) this.readout.textContent = frame.readout;
    }
  }

  function start() {
    const figures = Array.from(document.querySelectorAll("figure.eai-figure"), (element) => new Figure(element));
    new MutationObserver(() => figures.forEach((figure) => figure.draw())).observe(document.documentElement, {
      attributes: true,
      attributeFilter: ["data-theme"],
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
