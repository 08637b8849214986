// Tables and formulas that scroll sideways can be reached and scrolled with the keyboard.
const focusable = () => {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap, div.formula, .md-typeset pre > code")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
new MutationObserver(focusable).observe(document.body, { childList: true, subtree: true });
addEventListener("resize", focusable);
addEventListener("load", focusable);
