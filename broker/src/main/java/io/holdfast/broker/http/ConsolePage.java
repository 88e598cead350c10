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
  private static final String CLUSTER_LINK =
      "<a href=\"/console/cluster\" data-of=\"cluster\">Cluster</a>\n";
  private static final String LOGIN = text("login.html");

  private ConsolePage() {}

  /**
   * What is around a page.
   *
   * @param hasSession whether there is something to log out of
   * @param isCluster whether there is a page about the cluster
   */
  record Frame(boolean hasSession, boolean isCluster) {
    /**
     * A page of the console.
     *
     * @param name of the script that fills it
     * @param title for people
     */
    HttpReply of(String name, String title) {
      return page(200, filled(name, title, "<p>Loading…</p>"));
    }

    /** 404 for people. */
    HttpReply notFound(String text) {
      return page(404, filled("none", "Not found", "<h1>Not found</h1><p>" + text + "</p>"));
    }

    private String filled(String name, String title, String main) {
      return FRAME
          .replace("{{name}}", name)
          .replace("{{title}}", title)
          .replace("{{cluster}}", isCluster ? CLUSTER_LINK : "")
          .replace("{{main}}", main)
          .replace("{{session}}", hasSession ? "session" : "none");
    }
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
