/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What book/look wants to know of a page, from inside: are its pictures there and
 * seen, does it fit into the window, can its text be read, and do the figures to step
 * through get to their end and back?  What is wrong comes into <html data-look>.
 */
(function () {
	"use strict";

	var bad = [];

	function name(e) {
		return e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") +
		    (e.className && e.className.baseVal === undefined ?
		    "." + String(e.className).replace(/ /g, ".") : "");
	}

	function pictures() {
		document.querySelectorAll("article img").forEach(function (i) {
			if (i.closest("button"))
				return;
			var box = i.getBoundingClientRect();
			if (!i.complete || !i.naturalWidth)
				bad.push(i.getAttribute("src") + " is not there");
			else if (box.width < 40 || box.height < 20)
				bad.push(i.getAttribute("src") + " is not seen");
		});
	}

	/* What is too wide must be in something that scrolls. */
	function width() {
		var have = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= have + 1)
			return;
		bad.push("the page is wider than the window");
		document.querySelectorAll("article *").forEach(function (e) {
			if (e.getBoundingClientRect().right > have + 1 &&
			    bad.length < 8 && !e.closest("pre, svg, .table-wrapper"))
				bad.push(name(e) + " is too wide");
		});
	}

	function parse(colour) {
		return (colour.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
	}

	/* The luminance of WCAG 2. */
	function luminance(c) {
		var l = c.slice(0, 3).map(function (v) {
			v /= 255;
			return v <= 0.04045 ? v / 12.92 :
			    Math.pow((v + 0.055) / 1.055, 2.4);
		});
		return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2];
	}

	function background(e) {
		for (; e; e = e.parentElement) {
			var c = parse(getComputedStyle(e).backgroundColor);
			if (c.length < 4 || c[3] > 0.5)
				return c;
		}
		return [255, 255, 255];
	}

	function contrast() {
		var seen = {};
		document.querySelectorAll("article *").forEach(function (e) {
			var own = Array.prototype.some.call(e.childNodes, function (n) {
				return n.nodeType === 3 && n.data.trim();
			});
			if (!own || e.closest("svg") || !e.getClientRects().length ||
			    e.closest("script, .headerlink, button"))
				return;
			var a = luminance(parse(getComputedStyle(e).color));
			var b = luminance(background(e));
			var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
			if (ratio < 4.5 && !seen[name(e)]) {
				seen[name(e)] = 1;
				bad.push(name(e) + " can hardly be read: " +
				    ratio.toFixed(1));
			}
		});
	}

	/* From the first state to the last one and back, by the buttons. */
	function steppers() {
		document.querySelectorAll("figure.stepper").forEach(function (f) {
			var next = f.querySelector("[data-step=next]");
			var back = f.querySelector("[data-step=back]");
			var last = Number(f.dataset.length) - 1, n, drawn = 0;
			if (!next || !back || !(last > 0)) {
				bad.push(f.id + " has not started");
				return;
			}
			f.querySelector("[data-step=first]").click();
			for (n = 0; !next.disabled && n < 1000; n++) {
				next.click();
				drawn += f.querySelectorAll("svg rect").length;
			}
			if (drawn < 2 * last)
				bad.push(f.id + " draws nothing");
			if (n !== last || Number(f.dataset.at) !== last)
				bad.push(f.id + " ends at " + n + ", not " + last);
			for (n = 0; !back.disabled && n < 1000; n++)
				back.click();
			if (n !== last || Number(f.dataset.at) !== 0)
				bad.push(f.id + " does not get back");
		});
	}

	window.addEventListener("load", function () {
		[pictures, width, contrast, steppers].forEach(function (look) {
			look();
		});
		document.documentElement.dataset.look = bad.join("|");
	});
})();
