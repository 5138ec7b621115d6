// Gives the reader the colours that its user's system asks for, and documents the form
// that it reads best.
"use strict";

const colours = {
	light: {
		"bg-color": "#fbfbfa",
		"text-color": "#1f2328",
		"primary-color": "#0b5f8a",
		"nav-bg-color": "#f1f3f5",
		"nav-text-color": "#3d444d",
		"nav-hover-bg-color": "#e2e6ea",
		"nav-hover-text-color": "#1f2328",
		"nav-accent-color": "#0b5f8a",
	},
	dark: {
		"bg-color": "#1b1e23",
		"text-color": "#d5d9de",
		"primary-color": "#6cc1ec",
		"nav-bg-color": "#23272e",
		"nav-text-color": "#b6bec8",
		"nav-hover-bg-color": "#313740",
		"nav-hover-text-color": "#ffffff",
		"nav-accent-color": "#6cc1ec",
	},
};

const reader = document.querySelector("rapi-doc");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function follow() {
	const theme = dark.matches ? "dark" : "light";
	reader.setAttribute("theme", theme);
	for (const [name, colour] of Object.entries(colours[theme])) {
		reader.setAttribute(name, colour);
	}
}

// What the attributes cannot say: within the component, and of enough contrast.
const within = new CSSStyleSheet();
within.replaceSync(`
	* {
		--border-color: light-dark(#cfd6dd, #4a525d);
		--light-border-color: light-dark(#d8dde3, #414853);
		--placeholder-color: light-dark(#646d76, #97a1ac);
		--blue: light-dark(#0969ab, #7cc4f5);
		--green: light-dark(#2f7009, #8fd19e);
		--orange: light-dark(#9a5200, #f0a35e);
		--yellow: light-dark(#7a6000, #dcc15a);
		--red: light-dark(#b3261e, #f58a83);
		--nav-get-color: var(--blue);
		--nav-post-color: var(--green);
		--nav-put-color: var(--orange);
		--nav-head-color: var(--yellow);
		--nav-delete-color: var(--red);
	}
	#api-info { margin-left: 0; }
`);

// The component takes the members of an example for examples, and stumbles over a null
// among them; what has a name it shows as it is.
function nameExamples(spec) {
	const operations = Object.values(spec.paths).flatMap((item) => Object.values(item));
	const bodies = operations.flatMap((o) => [o.requestBody, ...Object.values(o.responses ?? {})]);
	for (const media of bodies.flatMap((body) => Object.values(body?.content ?? {}))) {
		if (media.example !== undefined && media.examples === undefined) {
			media.examples = { Example: { value: media.example } };
			delete media.example;
		}
	}
}

reader.addEventListener("before-render", (event) => nameExamples(event.detail.spec));
customElements.whenDefined("rapi-doc").then(() => {
	reader.shadowRoot.adoptedStyleSheets.push(within);
});
dark.addEventListener("change", follow);
follow();
