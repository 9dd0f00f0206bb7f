/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands in for the theme's own script, which Debian installs as a module that
 * no browser loads from a file.  Light, dark or as the system has it; and the
 * contents at the side show where the reader is.
 */
(function () {
	"use strict";

	var THEMES = ["auto", "light", "dark"];

	function nextTheme() {
		var now = THEMES.indexOf(document.body.dataset.theme || "auto");
		var theme = THEMES[(now + 1) % THEMES.length];

		document.body.dataset.theme = theme;
		try {
			localStorage.setItem("theme", theme);
		} catch (e) {
			/* Some browsers keep nothing for a file. */
		}
	}

	/* Marks in the contents the last heading that is above the middle. */
	function here(links) {
		var current = null;

		links.forEach(function (link) {
			var id = decodeURIComponent(link.hash.slice(1));
			var place = id && document.getElementById(id);

			link.parentElement.classList.remove("scroll-current");
			if (place && place.getBoundingClientRect().top <
			    window.innerHeight / 2)
				current = link;
		});
		if (current)
			current.parentElement.classList.add("scroll-current");
	}

	document.addEventListener("DOMContentLoaded", function () {
		var links = Array.prototype.slice.call(
		    document.querySelectorAll(".toc-tree a"));

		document.querySelectorAll(".theme-toggle").forEach(function (b) {
			b.addEventListener("click", nextTheme);
		});
		document.body.classList.remove("no-js");
		document.documentElement.classList.remove("no-js");
		if (links.length) {
			window.addEventListener("scroll", function () {
				here(links);
			}, { passive: true });
			here(links);
		}
	});
})();
