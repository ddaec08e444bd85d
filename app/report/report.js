"use strict";
(() => {
  const links = [...document.querySelectorAll(".tiles a")];
  const nameOf = (link) => link.querySelector("span bdi").textContent;

  // The lightbox. Without script the links simply open the pictures.
  const box = document.querySelector("dialog.light");
  const picture = box.querySelector("img");
  let at = -1;
  let shownLinks = [];
  const show = (index) => {
    at = (index + shownLinks.length) % shownLinks.length;
    const link = shownLinks[at];
    const thumbnail = link.querySelector("img").src;
    // An original may be of a kind the browser cannot show, or may have moved: then the thumbnail does.
    picture.onerror = () => { picture.onerror = null; picture.src = thumbnail; };
    // A small picture is shown at most twice its size: larger, it would only be blurred.
    picture.onload = () => {
      picture.style.maxWidth = 2 * picture.naturalWidth + "px";
      picture.style.maxHeight = 2 * picture.naturalHeight + "px";
    };
    picture.src = link.href || thumbnail;
    picture.alt = nameOf(link);
    box.querySelector(".name bdi").textContent = nameOf(link);
    const cluster = link.closest(".cluster").querySelector("h2").textContent;
    const facts = [cluster, "distance " + link.dataset.distance];
    if (link.dataset.label !== undefined) facts.push("label " + link.dataset.label);
    if (link.parentElement.classList.contains("outlier")) facts.push("outlier");
    facts.push((at + 1) + " of " + shownLinks.length);
    box.querySelector(".facts").textContent = facts.join("  ·  ");
  };
  const visible = (link) => !link.parentElement.hidden && (!link.closest("details") || link.closest("details").open);
  document.querySelector("#clusters").addEventListener("click", (event) => {
    const link = event.target.closest(".tiles a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    shownLinks = links.filter(visible);
    show(shownLinks.indexOf(link));
    box.showModal();
  });
  box.addEventListener("click", (event) => {
    if (event.target.closest(".back")) show(at - 1);
    else if (event.target.closest(".on")) show(at + 1);
    else if (!event.target.closest("figcaption, img")) box.close();
  });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) { event.preventDefault(); show(at + step); }
  });
  box.addEventListener("close", () => {
    picture.onerror = null;
    picture.removeAttribute("src");
    if (shownLinks[at]) shownLinks[at].focus();
  });

  // The filter.
  const field = document.querySelector(".filter input");
  const found = document.querySelector(".found");
  const sections = [...document.querySelectorAll(".cluster")];
  const names = links.map((link) => nameOf(link).toLowerCase());
  const openBefore = new Map();
  document.querySelector(".filter").hidden = false;
  const filter = () => {
    const wanted = field.value.trim().toLowerCase();
    let count = 0;
    links.forEach((link, i) => {
      const match = names[i].includes(wanted);
      link.parentElement.hidden = !match;
      count += match;
    });
    for (const section of sections) {
      const rest = section.querySelector("details");
      section.hidden = Boolean(wanted) && !section.querySelector(".tiles li:not([hidden])");
      if (!rest) continue;
      if (!openBefore.has(rest)) openBefore.set(rest, rest.open);
      rest.open = wanted ? Boolean(rest.querySelector("li:not([hidden])")) : openBefore.get(rest);
      if (!wanted) openBefore.delete(rest);
    }
    document.body.classList.toggle("filtered", Boolean(wanted));
    found.hidden = !wanted;
    if (wanted) found.scrollIntoView();
    found.textContent = count === 1 ? "1 image has this in its name" : count + " images have this in their names";
  };
  let waiting = 0;
  field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 80); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input") && !box.open) { event.preventDefault(); field.focus(); }
    if (event.key === "Escape" && event.target === field) { field.value = ""; filter(); field.blur(); }
  });

  // The chart marks the cluster that is being read.
  const marks = new Map([...document.querySelectorAll(".chart a")].map((link) => [link.hash.slice(1), link]));
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) marks.get(entry.target.id).classList.toggle("here", entry.isIntersecting);
  }, { rootMargin: "-30% 0px -60% 0px" });
  sections.forEach((section) => watch.observe(section));
})();
