/* Brings the explorers of a page to life: controls choose among the runs that the
   page itself trained. Needs no kernel and no network; the drawing library is loaded
   from beside this file when an explorer comes near the view. */
(() => {
  "use strict";
  const HERE = document.currentScript.src;
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const FRAME = 450; // milliseconds a value is shown while a control plays
  const CONFIG = {
    background: "transparent",
    axis: {
      labelColor: "currentColor", titleColor: "currentColor", tickColor: "currentColor",
      domainColor: "currentColor", gridColor: "#808890", gridOpacity: 0.3,
      labelFontSize: 12, titleFontSize: 13, titleFontWeight: "normal", aria: false,
      labelOverlap: true, tickCount: 5,
    },
    axisY: {titlePadding: 10},
    legend: {
      labelColor: "currentColor", labelFontSize: 12, aria: false, labelLimit: 260,
      symbolOpacity: 1, symbolStrokeWidth: 2,
    },
    mark: {aria: false},
    view: {stroke: null},
  };

  let library = null;
  function loadLibrary() {
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL("vega.js", HERE).href;
      script.onload = () => resolve(window.vegaEmbed);
      script.onerror = () => reject(new Error("vega.js could not be loaded"));
      document.head.append(script);
    });
    return library;
  }

  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties))
      if (name in element) element[name] = value;
      else element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  /* A label inside a sentence: "Learning rate" as "learning rate", "IoU" as it is. */
  const inside = label =>
    /^\S+\p{Lu}/u.test(label) ? label : label[0].toLowerCase() + label.slice(1);

  /* What a mark, or the sentence, shows at the state: an index into its items. */
  function choose(choice, state, controls) {
    let place = 0;
    for (const i of choice.by) place = place * controls[i].texts.length + state[i];
    return choice.index[place];
  }

  function rowsOf(mark, id, pool) {
    const columns = {};
    for (const [name, place] of Object.entries(mark.items[id])) columns[name] = pool[place];
    if (mark.heat) return cellsOf(mark.heat, columns);
    const names = Object.keys(columns);
    const lists = names.filter(name => Array.isArray(columns[name]));
    const count = lists.length ? columns[lists[0]].length : 0;
    return Array.from({length: count}, (_, i) => {
      const row = {i};
      for (const name of names)
        row[name] = Array.isArray(columns[name]) ? columns[name][i] : columns[name];
      return row;
    });
  }

  /* Cells with their edges, their colour and how strong it is. */
  function cellsOf({span: [low, high], middle, colours, opacity}, {x, y, v}) {
    const half = axis => axis.length > 1 ? (axis[1] - axis[0]) / 2 : 0.5;
    const [dx, dy] = [half(x), half(y)];
    const most = Math.max(high - middle, middle - low) || 1;
    const cells = [];
    for (let k = 0; k < v.length; k++) {
      const level = DIGITS.indexOf(v[k]);
      if (level < 0) continue; // no number there
      const value = low + (high - low) * level / (DIGITS.length - 1);
      if (value === middle) continue; // as the page behind it
      const [a, b] = [x[k % x.length], y[Math.floor(k / x.length)]];
      cells.push({
        i: k, x: a, y: b, x0: a - dx, x1: a + dx, y0: b - dy, y1: b + dy,
        c: colours[value < middle ? 0 : 1],
        o: opacity * Math.abs(value - middle) / most,
      });
    }
    return cells;
  }

  /* The values of a control without their unit, for the address. */
  function bare({texts, unit}) {
    return unit ? texts.map(text => text.slice(0, -unit.length).trim()) : texts;
  }

  /* A panel of a size; a square one is as high as wide, so that its axes have one
     scale. The words along an axis take more room or less as they change. The library
     would follow the window, at a width that may not last. */
  function sized({autosize, signals, ...vega}, {clientWidth, clientHeight}, panel) {
    const others = signals.filter(({name}) => name !== "width" && name !== "height");
    const {square, worded} = panel;
    const height = square ? {update: "width"} : {value: clientHeight};
    return {
      ...vega,
      autosize: {...autosize, type: square ? "fit-x" : "fit", resize: square || worded},
      signals: [
        ...others, {name: "width", value: clientWidth}, {name: "height", ...height},
      ],
    };
  }

  class Explorer {
    constructor(root) {
      this.root = root;
      this.data = JSON.parse(root.querySelector("script").textContent);
      this.controls = this.data.controls;
      this.state = this.controls.map(control => control.start);
      this.pinned = null;
      this.views = [];
      this.says = root.querySelector(".explorer-says");
      this.still = root.querySelector(".explorer-still");
    }

    async start() {
      const embed = await loadLibrary();
      this.build();
      this.readAddress();
      await this.draw(embed);
      this.root.classList.add("explorer-ready");
      window.addEventListener("hashchange", () => {
        this.readAddress();
        this.show();
      });
      let wait = 0;
      new ResizeObserver(() => {
        clearTimeout(wait);
        wait = setTimeout(() => {
          if (String(this.widths()) !== String(this.drawn)) this.draw(embed);
        }, 100);
      }).observe(this.picture);
    }

    widths() {
      return this.panes.map(pane => pane.clientWidth);
    }

    /* Draw the panels as wide as they are now. */
    async draw(embed) {
      const before = this.views;
      // By name, since the library measures the width of labels itself.
      const config = {...CONFIG, font: getComputedStyle(this.root).fontFamily};
      this.drawn = this.widths();
      this.views = await Promise.all(this.data.panels.map((panel, i) =>
        embed(this.panes[i], panel.spec, {
          mode: "vega-lite", actions: false, renderer: "svg", tooltip: false,
          config: {...config, legend: {...config.legend, columns: this.columns(i)}},
          patch: vega => sized(vega, this.panes[i], panel),
        }).then(result => result.view)));
      before.forEach(view => view.finalize());
      this.shown = this.data.panels.map(() => ({}));
      await this.show();
      for (const svg of this.picture.querySelectorAll("svg"))
        svg.removeAttribute("role");
    }

    /* How many names stand side by side above a panel; an axis takes 60 pixels. */
    columns(i) {
      const {named} = this.data.panels[i];
      return Math.max(1, Math.floor((this.drawn[i] - 60) / (7 * named + 45)));
    }

    build() {
      const {name} = this.data;
      this.panes = this.data.panels.map(({square}) => make("div", {
        className: square ? "explorer-panel explorer-square" : "explorer-panel",
      }));
      const inside = make("div", {className: "explorer-panels", "aria-hidden": "true"},
        ...this.panes);
      this.picture = make("div", {className: "explorer-picture", role: "img"}, inside);
      this.inputs = this.controls.map((control, i) => this.input(control, i));
      const form = make("form", {
        className: "explorer-controls", onsubmit: event => event.preventDefault(),
      }, ...this.inputs.map(({box}) => box));
      form.setAttribute("aria-label", `Controls of ${name}`);
      this.pinButton = make("button", {
        type: "button", textContent: "Pin this run", onclick: () => this.pin(),
      });
      const link = make("button", {
        type: "button", textContent: "Copy link to this setting",
        onclick: () => this.copy(link),
      });
      this.beside = make("p", {className: "explorer-pinned", hidden: true});
      this.still.before(form);
      this.still.replaceWith(this.picture);
      this.says.setAttribute("aria-live", "polite");
      this.says.after(this.beside,
        make("div", {className: "explorer-actions"}, this.pinButton, link));
    }

    input(control, i) {
      const id = `explorer-${this.data.name}-${control.name}`;
      const label = make("label", {htmlFor: id, textContent: control.label});
      const last = control.texts.length - 1;
      let field, value = "";
      if (control.words) {
        field = make("select", {id}, ...control.texts.map((text, k) =>
          make("option", {value: k, textContent: text})));
      } else {
        field = make("input", {id, type: "range", min: 0, max: last, step: 1});
        value = make("output", {htmlFor: id});
      }
      field.addEventListener("input", () => {
        this.stopPlaying();
        this.state[i] = Number(field.value);
        this.changed();
      });
      const box = make("div", {className: "explorer-control"}, label, field, value);
      if (control.play) box.append(this.playButton(i));
      return {box, field, value};
    }

    playButton(i) {
      this.player = make("button", {
        type: "button", textContent: "Play", className: "explorer-play",
        onclick: () => this.playing ? this.stopPlaying() : this.play(i),
      });
      return this.player;
    }

    play(i) {
      const last = this.controls[i].texts.length - 1;
      if (this.state[i] === last) this.state[i] = -1;
      this.says.setAttribute("aria-live", "off");
      this.player.textContent = "Pause";
      const step = () => {
        this.state[i] += 1;
        this.changed();
        if (this.state[i] === last) this.stopPlaying();
      };
      this.playing = setInterval(step, FRAME);
      step();
    }

    stopPlaying() {
      if (!this.playing) return;
      clearInterval(this.playing);
      this.playing = null;
      this.player.textContent = "Play";
      this.says.setAttribute("aria-live", "polite");
    }

    changed() {
      this.show();
      this.writeAddress();
    }

    /* Whether a control has any effect at the state of the others. */
    works(control, state) {
      return Object.entries(control.only).every(
        ([other, allowed]) => allowed.includes(state[other]));
    }

    title(state) {
      const said = this.controls.map((c, i) => `${inside(c.label)} ${c.texts[state[i]]}`)
        .filter((_, i) => this.works(this.controls[i], state)).join(", ");
      return said.slice(0, 1).toUpperCase() + said.slice(1);
    }

    sentence(state) {
      const {says} = this.data;
      return says.items[choose(says, state, this.controls)];
    }

    /* Draw the state: only marks whose rows changed are given new ones. */
    show() {
      this.controls.forEach((control, i) => {
        const {field, value} = this.inputs[i];
        field.value = this.state[i];
        if (!control.words) {
          value.textContent = control.texts[this.state[i]];
          field.setAttribute("aria-valuetext", control.texts[this.state[i]]);
        }
        field.disabled = !this.works(control, this.state);
      });
      this.says.textContent = `${this.title(this.state)}. ${this.sentence(this.state)}`;
      this.picture.setAttribute("aria-label", this.sentence(this.state));
      return Promise.all(this.views.map((view, p) => {
        this.data.panels[p].marks.forEach((mark, m) => {
          this.give(view, p, `m${m}`, mark, this.state);
          if (mark.pins) this.give(view, p, `p${m}`, mark, this.pinned);
        });
        return view.runAsync();
      }));
    }

    give(view, panel, name, mark, state) {
      const id = state ? choose(mark, state, this.controls) : -1;
      if (this.shown[panel][name] === id) return;
      const first = !(name in this.shown[panel]);
      this.shown[panel][name] = id;
      if (first && id < 0) return;
      view.data(name, id < 0 ? [] : rowsOf(mark, id, this.data.columns));
    }

    pin() {
      this.pinned = this.pinned ? null : [...this.state];
      this.changed();
      this.tellPinned();
    }

    tellPinned() {
      const {pinned} = this;
      this.pinButton.textContent = pinned ? "Let go of the pinned run" : "Pin this run";
      this.beside.hidden = !pinned;
      this.beside.textContent = pinned
        ? `Pinned, in grey: ${this.title(pinned)}. ${this.sentence(pinned)}` : "";
    }

    /* The address keeps a state as words: #explorer-NAME:rate=0.1;width=8 */
    words(state) {
      return this.controls.map((control, i) =>
        `${control.name}=${encodeURIComponent(bare(control)[state[i]])}`).join(";");
    }

    writeAddress() {
      const pinned = this.pinned ? `!${this.words(this.pinned)}` : "";
      const own = `explorer-${this.data.name}:${this.words(this.state)}${pinned}`;
      history.replaceState(history.state, "", `#${own}`);
    }

    readAddress() {
      const start = `#explorer-${this.data.name}:`;
      if (!location.hash.startsWith(start)) return;
      const [state, pinned] = location.hash.slice(start.length).split("!");
      this.state = this.parse(state);
      this.pinned = pinned ? this.parse(pinned) : null;
      this.tellPinned();
    }

    /* What is unknown, perhaps since the page has changed, stays at its default. */
    parse(words) {
      const said = new Map(words.split(";").map(word => {
        const [name, text = ""] = word.split("=");
        try {
          return [name, decodeURIComponent(text)];
        } catch {
          return [name, ""]; // cut off in the middle of a letter
        }
      }));
      return this.controls.map(control => {
        const place = bare(control).indexOf(said.get(control.name));
        return place < 0 ? control.start : place;
      });
    }

    async copy(button) {
      this.writeAddress();
      let done = "Link copied";
      try {
        await navigator.clipboard.writeText(location.href);
      } catch {
        done = "The link is in the address bar";
      }
      const before = button.textContent;
      button.textContent = done;
      setTimeout(() => { button.textContent = before; }, 2000);
    }
  }

  function wake(root) {
    if (root.dataset.woken) return;
    root.dataset.woken = "yes";
    new Explorer(root).start().catch(error => {
      console.error(error);
      root.classList.add("explorer-failed");
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    const roots = document.querySelectorAll(".explorer");
    const near = new IntersectionObserver(entries => {
      for (const entry of entries) if (entry.isIntersecting) wake(entry.target);
    }, {rootMargin: "600px"});
    for (const root of roots) {
      if (location.hash.startsWith(`#${root.id}:`)) {
        wake(root);
        root.scrollIntoView();
      }
      near.observe(root);
    }
  });
})();
