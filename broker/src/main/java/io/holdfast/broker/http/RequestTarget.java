package io.holdfast.broker.http;

/**
 * The target of a request line, taken apart.
 *
 * @param authority {@code host:port} where the line names it, else empty
 * @param path decoded
 * @param rawQuery what follows the first {@code ?}, not decoded; empty if nothing does
 */
record RequestTarget(String authority, String path, String rawQuery) {
  /**
   * Takes a target apart: {@code /path?query}, {@code http://host/path?query} or {@code *}.
   *
   * @return null if it is none of these or has a bad %-escape
   */
  static RequestTarget parseOrNull(String target) {
    if (target.equals("*")) {
      return new RequestTarget("", "*", "");
    }
    String local = target;
    String host = "";
    if (!local.startsWith("/")) {
      int authority = local.indexOf("://");
      if (authority <= 0 || local.indexOf('/') != authority + 1) {
        return null;
      }
      int path = authority + 3;
      while (path < local.length() && local.charAt(path) != '/' && local.charAt(path) != '?') {
        path++;
      }
      host = local.substring(authority + 3, path);
      local = local.substring(path);
      if (!local.startsWith("/")) {
        local = "/" + local;
      }
    }
    int question = local.indexOf('?');
    String rawPath = question < 0 ? local : local.substring(0, question);
    String decoded = QueryParams.percentDecode(rawPath, false);
    return decoded == null
        ? null
        : new RequestTarget(host, decoded, question < 0 ? "" : local.substring(question + 1));
  }
}
