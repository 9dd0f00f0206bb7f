/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draws the figures to step through.  Each <figure class="stepper"> holds its
 * states as JSON; a state is drawn whole, so that going back is as simple as
 * going on.  nymph_state.py draws the same for paper.
 */
(function () {
	"use strict";

	var NS = "http://www.w3.org/2000/svg";
	var PAGES = 8, CELL = 26, LEFT = 96, ROW = 84;
	var WIDE = LEFT + PAGES * CELL + 12;

	function make(tag, attrs, text) {
		var e = document.createElementNS(NS, tag), k;
		for (k in attrs)
			e.setAttribute(k, attrs[k]);
		if (text !== undefined)
			e.textContent = text;
		return e;
	}

	function count(n, what) {
		return n + " " + what + (n === 1 ? "" : "s");
	}

	/* A row of eight cells with a title: a page table, or an object. */
	function row(svg, x, y, kind, title, small, cells, changed) {
		var i, c;
		svg.appendChild(make("rect", { class: "box " + kind +
		    (changed ? " changed" : ""), x: x, y: y, width: WIDE,
		    height: 44, rx: 4 }));
		svg.appendChild(make("text", { x: x + 8, y: y + 18 }, title));
		svg.appendChild(make("text", { class: "small", x: x + 8, y: y + 35 },
		    small));
		for (i = 0; i < PAGES; i++) {
			c = cells[i];
			svg.appendChild(make("rect", { class: "cell" +
			    (c ? " " + c.kind : ""), x: x + LEFT + i * CELL, y: y + 9,
			    width: CELL - 3, height: 26 }));
			if (c)
				svg.appendChild(make("text", { class: "frame",
				    x: x + LEFT + i * CELL + 11, y: y + 27 }, c.text));
		}
	}

	function pteCells(proc) {
		var out = {}, n;
		for (n in proc.ptes)
			out[n] = { text: proc.ptes[n][0],
			    kind: proc.ptes[n][1] ? "rw" : "ro" };
		return out;
	}

	function pageCells(obj) {
		var out = {}, n;
		for (n in obj.pages)
			out[n] = { text: obj.pages[n], kind: "page" };
		return out;
	}

	/* How far an object stands from the front of the longest chain. */
	function levels(state) {
		var level = {}, at, depth, name;
		for (name in state.procs) {
			depth = 0;
			at = state.procs[name].front;
			while (at !== null && at !== undefined && state.objects[at]) {
				level[at] = Math.max(level[at] || 0, depth++);
				at = state.objects[at].backing;
			}
		}
		return level;
	}

	/* Where each object stands.  One that is on no chain any more, or not
	 * yet, stands at the right. */
	function places(state) {
		var level = levels(state), taken = {}, out = {};
		var parent = state.procs.parent || {}, child = state.procs.child || {};
		Object.keys(state.objects).forEach(function (id) {
			var l = level[id], col = 0;
			if (l === undefined) {
				l = 1;
				col = 1;
			} else if (String(child.front) === id &&
			    String(parent.front) !== id) {
				col = 1;
			}
			while (taken[col + "," + l])
				l++;
			taken[col + "," + l] = true;
			out[id] = [8 + col * (WIDE + 24), 84 + l * ROW];
		});
		return out;
	}

	function arrow(svg, x, y, to) {
		var u = to[0] + 50, v = to[1], m = (y + v) / 2;
		svg.appendChild(make("path", { class: "arrow",
		    "marker-end": "url(#stepper-arrow)", d: "M" + x + " " + y + " C" +
		    x + " " + m + " " + u + " " + m + " " + u + " " + (v - 6) }));
	}

	/* From part 2 on an object names no other: between the two stands a node,
	 * which belongs to the entries. */
	function node(svg, at, obj) {
		svg.appendChild(make("rect", { class: "box node", x: at[0] + 8,
		    y: at[1] + 48, width: 108, height: 18, rx: 4 }));
		svg.appendChild(make("text", { class: "small", x: at[0] + 14,
		    y: at[1] + 61 }, "node #" + obj.backing + ", refs " + obj.refs));
	}

	function same(a, b) {
		return JSON.stringify(a) === JSON.stringify(b);
	}

	function draw(svg, state, before, stage) {
		var place = places(state), defs, m;
		while (svg.firstChild)
			svg.removeChild(svg.firstChild);
		defs = make("defs", {});
		m = make("marker", { id: "stepper-arrow", markerWidth: 8,
		    markerHeight: 8, refX: 2, refY: 4, orient: "auto" });
		m.appendChild(make("path", { class: "head", d: "M0 0 L8 4 L0 8 z" }));
		defs.appendChild(m);
		svg.appendChild(defs);
		["parent", "child"].forEach(function (name, i) {
			var proc = state.procs[name], x = 8 + i * (WIDE + 24);
			if (!proc)
				return;
			row(svg, x, 8, "entry", name, proc.needs_copy ?
			    "needs copy" : "entry, PTEs", pteCells(proc),
			    !same(proc, before.procs[name]));
			if (place[proc.front])
				arrow(svg, x + 40, 52, place[proc.front]);
		});
		Object.keys(state.objects).forEach(function (id) {
			var obj = state.objects[id], at = place[id];
			row(svg, at[0], at[1], obj.dead ? "dead" : "object",
			    "object #" + id, obj.dead ? "dead" :
			    count(obj.refs, "reference"), pageCells(obj),
			    !same(obj, before.objects[id]));
			if (!place[obj.backing])
				return;
			if (stage >= 2)
				node(svg, at, obj);
			arrow(svg, at[0] + 60, at[1] + (stage >= 2 ? 66 : 44),
			    place[obj.backing]);
		});
		svg.setAttribute("viewBox", "0 0 " + (2 * WIDE + 40) + " 310");
	}

	/* The state in words, for who does not see it. */
	function words(state) {
		var out = [];
		Object.keys(state.procs).forEach(function (name) {
			var proc = state.procs[name], ptes = Object.keys(proc.ptes);
			out.push(name + ": " + (proc.front === null ? "no object" :
			    "object " + proc.front + " in front") +
			    (proc.needs_copy ? ", needs copy" : "") + "; " +
			    (ptes.length ? "page table: " + ptes.map(function (n) {
				return "page " + n + " is frame " + proc.ptes[n][0] +
				    (proc.ptes[n][1] ? " writable" : " read-only");
			}).join(", ") : "page table empty"));
		});
		Object.keys(state.objects).forEach(function (id) {
			var obj = state.objects[id], pages = Object.keys(obj.pages);
			out.push("object " + id + (obj.dead ? ", dead" : "") + ": " +
			    count(obj.refs, "reference") + ", " + (pages.length ?
			    pages.map(function (n) {
				return "page " + n + " in frame " + obj.pages[n];
			}).join(", ") : "no pages") + (obj.backing !== null ?
			    "; behind it object " + obj.backing : ""));
		});
		return out.join(". ") || "nothing is mapped";
	}

	function show(pre, code) {
		pre.textContent = "";
		code.text.forEach(function (line, n) {
			var e = document.createElement(n === code.line ? "mark" : "span");
			e.textContent = line || " ";
			pre.appendChild(e);
		});
	}

	function start(figure) {
		var data = JSON.parse(figure.querySelector("script").textContent);
		var states = data.states, at = 0, buttons = {};
		var bar = document.createElement("div");
		var wide = document.createElement("div");
		var what = document.createElement("p");
		var code = document.createElement("pre");
		var where = document.createElement("p");
		var svg = make("svg", { role: "img" });
		var caption = figure.querySelector("figcaption");
		var none = { where: "", text: [""], line: -1 };

		function go(n) {
			var s, c;
			at = Math.max(0, Math.min(states.length - 1, n));
			s = states[at];
			c = s.event && data.code[s.event] || none;
			draw(svg, s.state, states[Math.max(0, at - 1)].state, data.stage);
			what.textContent = at + " of " + (states.length - 1) + ": " + s.say;
			svg.setAttribute("aria-label", words(s.state));
			where.textContent = c.where;
			show(code, c);
			buttons.first.disabled = buttons.back.disabled = at === 0;
			buttons.next.disabled = buttons.last.disabled =
			    at === states.length - 1;
			figure.dataset.at = at;
		}

		bar.className = "bar";
		[["first", "First", function () { go(0); }],
		    ["back", "Back", function () { go(at - 1); }],
		    ["next", "Next", function () { go(at + 1); }],
		    ["last", "Last", function () { go(states.length - 1); }]
		].forEach(function (b) {
			var e = document.createElement("button");
			e.type = "button";
			e.textContent = b[1];
			e.dataset.step = b[0];
			e.addEventListener("click", function () {
				b[2]();
				/* A button that is disabled under the reader's hand
				 * would lose the keyboard. */
				if (e.disabled)
					figure.focus();
			});
			buttons[b[0]] = e;
			bar.appendChild(e);
		});
		what.className = "what";
		what.setAttribute("aria-live", "polite");
		where.className = "where";
		wide.className = "wide";
		wide.appendChild(svg);
		[wide, bar, what, where, code].forEach(function (e) {
			figure.insertBefore(e, caption);
		});
		figure.tabIndex = 0;
		figure.setAttribute("role", "group");
		figure.setAttribute("aria-label", caption.textContent.trim() +
		    ", to step through with the arrow keys");
		figure.addEventListener("keydown", function (e) {
			var key = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0,
			    End: states.length - 1 }[e.key];
			if (key === undefined || e.altKey || e.ctrlKey || e.metaKey)
				return;
			e.preventDefault();
			e.stopPropagation();
			go(key);
		});
		figure.dataset.length = states.length;
		/* A link may name a state: #step-fork@30. */
		var link = location.hash.slice(1).split("@");
		go(link[0] === figure.id && Number(link[1]) || 0);
	}

	document.addEventListener("DOMContentLoaded", function () {
		Array.prototype.forEach.call(
		    document.querySelectorAll("figure.stepper"), start);
		/* Figures have grown, and what the link names was not an id. */
		var named = document.getElementById(location.hash.slice(1)
		    .split("@")[0]);
		if (named && named.classList.contains("stepper"))
			window.addEventListener("load", function () {
				named.scrollIntoView();
			});
	});
})();
