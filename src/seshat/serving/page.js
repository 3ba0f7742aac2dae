// Ctrl + Enter (or Cmd + Enter) translates; fields run in the direction of what is written in them.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest("#text")) {
    event.preventDefault();
    event.target.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => document.querySelector("#translate")?.click(), 50);
  }
});
new MutationObserver(() => {
  for (const field of document.querySelectorAll("textarea:not([dir=auto]), input[type=text]:not([dir=auto])")) field.dir = "auto";
  const said = document.querySelector("#chat .turns"); // it grows: the end is what is read
  if (said) said.scrollTop = said.scrollHeight;
  const lang = document.querySelector("header[lang]")?.lang;
  if (lang && document.documentElement.lang !== lang) document.documentElement.lang = lang;
}).observe(document, { childList: true, subtree: true });
