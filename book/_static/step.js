/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draws the figures to step through.  Each <figure class="stepper"> holds its
 * states as JSON; a state is drawn whole, so that going back is as simple as
 * going on.
 */
(function () {
	"use strict";

	var NS = "http://www.w3.org/2000/svg";
	var PAGES = 8, CELL = 26, LEFT = 96, WIDE = LEFT + PAGES * CELL + 12;

	function make(tag, attrs, text) {
		var e = document.createElementNS(NS, tag), k;
		for (k in attrs)
			e.setAttribute(k, attrs[k]);
		if (text !== undefined)
			e.textContent = text;
		return e;
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

	function arrow(svg, x, y, u, v) {
		var m = (y + v) / 2;
		svg.appendChild(make("path", { class: "arrow",
		    "marker-end": "url(#stepper-arrow)", d: "M" + x + " " + y + " C" +
		    x + " " + m + " " + u + " " + m + " " + u + " " + (v - 6) }));
	}

	function same(a, b) {
		return JSON.stringify(a) === JSON.stringify(b);
	}

	function draw(svg, state, before) {
		var place = {}, level = levels(state), perRow = {}, high = 64, defs, m;
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
		});
		Object.keys(state.objects).forEach(function (id) {
			var obj = state.objects[id], l = level[id], x, y, col;
			if (l === undefined)
				l = 2;
			col = perRow[l] = (perRow[l] === undefined ? -1 : perRow[l]) + 1;
			/* An object stands below the process whose front it is. */
			if (col === 0 && state.procs.child &&
			    String(state.procs.child.front) === id &&
			    String((state.procs.parent || {}).front) !== id)
				col = perRow[l] = 1;
			else if (col === 1 && perRow["left" + l])
				col = 1;
			if (col > 1)
				col = 0;
			x = 8 + col * (WIDE + 24);
			y = 84 + l * 76;
			place[id] = [x, y];
			high = Math.max(high, y + 56);
			row(svg, x, y, obj.dead ? "dead" : "object", "object #" + id,
			    obj.refs + (obj.refs === 1 ? " reference" : " references"),
			    pageCells(obj), !same(obj, before.objects[id]));
		});
		["parent", "child"].forEach(function (name, i) {
			var proc = state.procs[name], to;
			if (!proc || !place[proc.front])
				return;
			to = place[proc.front];
			arrow(svg, 8 + i * (WIDE + 24) + 40, 52, to[0] + 40 + 12 * i, to[1]);
		});
		Object.keys(state.objects).forEach(function (id, n) {
			var to = place[state.objects[id].backing], from = place[id];
			if (to)
				arrow(svg, from[0] + 60, from[1] + 44, to[0] + 70 + 12 * n,
				    to[1]);
		});
		svg.setAttribute("viewBox", "0 0 " + (2 * WIDE + 40) + " 300");
	}

	function start(figure) {
		var data = JSON.parse(figure.querySelector("script").textContent);
		var states = data.states, at = 0, buttons = {};
		var bar = document.createElement("div");
		var what = document.createElement("p");
		var code = document.createElement("pre");
		var where = document.createElement("p");
		var svg = make("svg", { role: "img" });
		var caption = figure.querySelector("figcaption");

		function go(n) {
			var s, c;
			at = Math.max(0, Math.min(states.length - 1, n));
			s = states[at];
			draw(svg, s.state, states[Math.max(0, at - 1)].state);
			what.textContent = at + " of " + (states.length - 1) + ": " + s.say;
			svg.setAttribute("aria-label", s.say);
			c = s.event && data.code[s.event];
			where.textContent = c ? c.where : "";
			code.textContent = c ? c.text : " ";
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
			e.addEventListener("click", b[2]);
			buttons[b[0]] = e;
			bar.appendChild(e);
		});
		what.className = "what";
		what.setAttribute("aria-live", "polite");
		where.className = "where";
		[svg, bar, what, where, code].forEach(function (e) {
			figure.insertBefore(e, caption);
		});
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
		if (link[0] === figure.id)
			figure.scrollIntoView();
	}

	document.addEventListener("DOMContentLoaded", function () {
		Array.prototype.forEach.call(
		    document.querySelectorAll("figure.stepper"), start);
	});
})();
