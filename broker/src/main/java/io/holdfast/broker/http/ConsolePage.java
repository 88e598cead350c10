package io.holdfast.broker.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * The console's pages: one frame that scripts fill by way of the HTTP API, and the log-in form,
 * which needs no script. Nothing a client sent is ever part of one. Stateless.
 */
final class ConsolePage {
  /** No script, style, image, frame or request but the broker's own. */
  static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
          + " frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

  private static final String HTML = "text/html; charset=utf-8";
  private static final String FRAME = text("page.html");
  private static final String LOGIN = text("login.html");

  private ConsolePage() {}

  /**
   * A page of the console.
   *
   * @param name of the script that fills it
   * @param title for people
   * @param hasSession whether there is something to log out of
   */
  static HttpReply of(String name, String title, boolean hasSession) {
    return page(
        200,
        FRAME
            .replace("{{name}}", name)
            .replace("{{title}}", title)
            .replace("{{main}}", "<p>Loading…</p>")
            .replace("{{session}}", hasSession ? "session" : "none"));
  }

  /** 404 for people. */
  static HttpReply notFound(String text, boolean hasSession) {
    return page(
        404,
        FRAME
            .replace("{{name}}", "none")
            .replace("{{title}}", "Not found")
            .replace("{{main}}", "<h1>Not found</h1><p>" + text + "</p>")
            .replace("{{session}}", hasSession ? "session" : "none"));
  }

  /**
   * The log-in page.
   *
   * @param error said above the form; empty for none
   */
  static HttpReply login(int status, String error) {
    String alert = error.isEmpty() ? "" : "<p role=\"alert\" class=\"alert\">" + error + "</p>";
    return page(status, LOGIN.replace("{{alert}}", alert));
  }

  private static HttpReply page(int status, String html) {
    return new HttpReply(status, HTML, html.getBytes(StandardCharsets.UTF_8), false, Map.of())
        .with("Content-Security-Policy", POLICY)
        .with("X-Content-Type-Options", "nosniff")
        .with("Referrer-Policy", "same-origin")
        .with("Cache-Control", "no-store");
  }

  /** Reads a file of the console from the jar. */
  static byte[] file(String name) {
    try (InputStream in = ConsolePage.class.getResourceAsStream("/console/" + name)) {
      if (in == null) {
        throw new IllegalStateException("no console/" + name + " in the jar");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String text(String name) {
    return new String(file(name), StandardCharsets.UTF_8);
  }
}
