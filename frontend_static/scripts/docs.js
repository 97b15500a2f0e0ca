// The page of the API: its lines lead to where the page itself is served, and can be copied.

// Where the lines lead to when the page is read as a file.
const LOCAL = document.body.dataset.local;

for (const part of document.querySelectorAll("[data-part=curl], [data-part=base]")) {
  part.textContent = part.textContent.replaceAll(LOCAL, location.origin);
}

for (const button of document.querySelectorAll("[data-part=copy]")) {
  button.addEventListener("click", async () => {
    const line = button.parentElement.querySelector("[data-part=curl]").textContent;
    try {
      await navigator.clipboard.writeText(line);
      button.textContent = "Copied";
    } catch {
      // Without the right to write the clipboard the line is selected, to be copied by hand.
      getSelection().selectAllChildren(button.parentElement.querySelector("[data-part=curl]"));
      button.textContent = "Selected";
    }
    button.addEventListener("blur", () => (button.textContent = "Copy"), { once: true });
  });
}
