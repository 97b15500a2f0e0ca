// The page names plotly.js in an async script, so that data and library load side by side.

export function plotlyReady() {
  return new Promise((resolve, reject) => {
    const done = () => {
      if (window.Plotly) resolve(window.Plotly);
      return Boolean(window.Plotly);
    };
    const failed = () => done() || reject(new Error("the chart library could not be loaded"));
    if (done()) return;
    const script = document.getElementById("plotly");
    script.addEventListener("load", failed);
    script.addEventListener("error", failed);
    // An async script holds the window's load event back: by then it has run or it never will.
    if (document.readyState === "complete") failed();
    else window.addEventListener("load", failed);
  });
}
