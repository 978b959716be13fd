/* Pages opened as files may not fetch one another, so search shows titles only. */
if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
