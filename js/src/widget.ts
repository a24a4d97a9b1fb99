import "./theme.css";

export default {
  render({ el }: { el: HTMLElement }) {
    const root = el.ownerDocument.createElement("div");
    root.className = "loss-widget";
    root.textContent = "The grid is being built.";
    el.append(root);
    return () => root.remove();
  },
};
