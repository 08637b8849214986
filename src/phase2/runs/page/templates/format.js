// Numbers and times as people read them.
{
  const units = ["B", "kB", "MB", "GB", "TB"];

  page.number = (value, digits = 4) => {
    if (value === null || value === undefined) return "";
    if (!Number.isFinite(value) || Number.isInteger(value)) return String(value);
    const size = Math.abs(value);
    if (size >= 1e5 || size < 1e-3) return value.toExponential(digits - 1);
    return String(Number(value.toPrecision(digits)));
  };

  page.whole = (value) => (value === null || value === undefined ? "" : value.toLocaleString("en"));

  page.duration = (seconds) => {
    if (seconds === null || seconds === undefined) return "";
    if (seconds < 60) return `${page.number(seconds, 2)} s`;
    const minutes = Math.round(seconds / 60);
    if (minutes < 60) return `${minutes} min`;
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
  };

  page.bytes = (count) => {
    if (count === null || count === undefined) return "";
    let value = count;
    let unit = 0;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit += 1;
    }
    return `${page.number(value, 3)} ${units[unit]}`;
  };

  page.time = (text) => (text ? text.slice(0, 16).replace("T", " ") : "");

  page.setting = (value) => {
    if (value === undefined) return "–";
    if (value === null) return "none";
    if (Array.isArray(value)) return value.map(page.setting).join(", ");
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  };

  // A run's percentage beside something: 0.8 of it is "20 % better".
  page.beside = (value, other) => {
    if (value === null || value === undefined || !other) return "";
    const percent = Math.round(100 * Math.abs(1 - value / other));
    return value <= other ? `${percent} % better` : `${percent} % worse`;
  };
}
