package io.holdfast.broker.http;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;

/** The console's pages that need no script. Stateless. */
final class ConsolePage {
  private static final String HTML = "text/html; charset=utf-8";

  /** No script, style, image or frame but the broker's own. */
  static final String POLICY =
      "default-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

  private static final String LOGIN =
      """
      <!DOCTYPE html>
      <html lang="en">
      <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
      <title>Log in - Holdfast</title></head>
      <body>
      <main>
      <h1>Holdfast</h1>
      %s<form method="post" action="/login">
      <p><label>Name <input name="username" autocomplete="username" required autofocus></label></p>
      <p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
      <p><button>Log in</button></p>
      </form>
      </main>
      </body>
      </html>
      """;

  private ConsolePage() {}

  /**
   * The log-in page.
   *
   * @param error said above the form; empty for none
   */
  static HttpReply login(int status, String error) {
    String alert = error.isEmpty() ? "" : "<p role=\"alert\">" + error + "</p>\n";
    return page(status, String.format(Locale.ROOT, LOGIN, alert));
  }

  private static HttpReply page(int status, String html) {
    return new HttpReply(status, HTML, html.getBytes(StandardCharsets.UTF_8), false, Map.of())
        .with("Content-Security-Policy", POLICY)
        .with("X-Content-Type-Options", "nosniff")
        .with("Cache-Control", "no-store");
  }
}
