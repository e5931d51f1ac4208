// Keeps the figures up to date while somebody looks. What comes is markup that the server has escaped.
(() => {
  const live = document.getElementById("live");
  const lost = document.getElementById("lost");
  let source = null;

  const isSelecting = () => {
    const selection = document.getSelection();
    return selection && !selection.isCollapsed && live.contains(selection.anchorNode);
  };

  const open = () => {
    source = new EventSource(live.dataset.events);
    source.addEventListener("figures", (event) => {
      lost.hidden = true;
      if (isSelecting() || live.contains(document.activeElement)) return;
      live.innerHTML = event.data;
      live.dataset.updates = Number(live.dataset.updates || 0) + 1;
    });
    source.addEventListener("error", () => {
      lost.hidden = false;
      // Closed for good: the answer was no stream, but perhaps the page for logging in.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000);
    });
  };

  const close = () => {
    if (source) source.close();
    source = null;
  };

  document.addEventListener("visibilitychange", () => {
    close();
    if (!document.hidden) open();
  });
  addEventListener("pagehide", close);
  if (!document.hidden) open();
})();
