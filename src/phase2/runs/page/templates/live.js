// On a page that phase2 serves: asks the server every few seconds whether runs changed, and updates the page in place.
{
  const { $ } = page;
  const seconds = page.place.live;
  let known = page.place.runs;

  async function look() {
    try {
      const response = await fetch("live", { cache: "no-store" });
      const { data, problem } = await response.json();
      $("live").textContent = problem ? `Not up to date: ${problem}` : "Live";
      if (data && data !== known) {
        await page.load(data);
        known = data;
      }
    } catch {
      $("live").textContent = "Not up to date: phase2 runs serve has ended";
    }
    setTimeout(look, 1000 * seconds);
  }

  page.startLive = () => {
    if (!seconds) return;
    $("live").hidden = false;
    $("live").textContent = "Live";
    setTimeout(look, 1000 * seconds);
  };
}
