// Opened as a file, a page may not read its neighbours: search then shows titles without an excerpt.
if (window.location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
