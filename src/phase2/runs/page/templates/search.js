// The search field: words that a run must have, -words that it must not, and comparisons such as seed=7 or training.lr>1e-3.
{
  const COMPARISON = /^(-?)([a-zA-Z_][\w.:]*)(<=|>=|!=|=|<|>)(.+)$/;

  const COMPARE = {
    "=": (a, b) => a === b,
    "!=": (a, b) => a !== b,
    "<": (a, b) => a < b,
    ">": (a, b) => a > b,
    "<=": (a, b) => a <= b,
    ">=": (a, b) => a >= b,
  };

  function valueOf(run, name) {
    const property = page.model.properties.find((one) => one.key === name);
    if (property) return run.val(name);
    const column = page.columns.find((one) => one.id === name);
    return column ? column.value(run) : page.settingOf(run, name);
  }

  function comparison([, no, name, operator, wanted]) {
    const target = Number(wanted);
    const holds = (run) => {
      const value = valueOf(run, name);
      if (value === undefined || value === null) return operator === "!=" || (operator === "=" && wanted === "none");
      if (typeof value === "number" && !Number.isNaN(target)) return COMPARE[operator](value, target);
      return COMPARE[operator](page.setting(value).toLowerCase(), wanted.toLowerCase());
    };
    return no ? (run) => !holds(run) : holds;
  }

  page.makeSearch = (words) => {
    const tests = words.trim().split(/\s+/).filter(Boolean).map((word) => {
      const found = word.match(COMPARISON);
      if (found) return comparison(found);
      const lower = word.toLowerCase();
      if (lower.startsWith("-") && lower.length > 1) return (run) => !run.text.includes(lower.slice(1));
      return (run) => run.text.includes(lower);
    });
    return (run) => tests.every((test) => test(run));
  };
}
