"use strict";
// Select2 gives the text in its box a role that has no name of its own: without one, screen readers read nothing.
// Handlers of "ready" run in the order of their scripts, so autocomplete.js has made the boxes by then.
django.jQuery(() => {
  for (const select of document.querySelectorAll("#changelist-filter select.admin-autocomplete")) {
    const box = select.parentElement.querySelector(".select2-selection__rendered");
    box.setAttribute("aria-label", select.dataset.placeholder);
  }
});
