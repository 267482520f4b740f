for (const button of document.querySelectorAll("button.done")) {
  button.addEventListener("click", () => button.parentElement.remove());
}
