// Draws a figure when it comes near the window, and all of them before the page is printed.
const figures = document.querySelectorAll("[data-figure]");
const config = JSON.parse(document.getElementById("graph-config").textContent);

function draw(place) {
  if (place.dataset.figure === "drawn") return;
  const figure = JSON.parse(document.getElementById(place.dataset.figure).textContent);
  place.dataset.figure = "drawn";
  Plotly.newPlot(place, figure.data, figure.layout, config);
}

const watcher = new IntersectionObserver(
  (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => draw(entry.target)),
  { rootMargin: "600px" },
);
figures.forEach((place) => watcher.observe(place));
addEventListener("beforeprint", () => figures.forEach(draw));
