package io.holdfast.broker.system.support;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;

/**
 * One page in Chromium without a window, spoken to by the DevTools protocol. Used by one thread at
 * a time.
 */
public final class Browser implements AutoCloseable {
  private static final Path PROGRAM = Path.of("/usr/bin/chromium");
  private static final Duration TIMEOUT = Duration.ofMinutes(2);
  private static final JsonMapper JSON = new JsonMapper();

  private final Path home;
  private final Process process;
  private final WebSocket socket;
  private final Map<Integer, CompletableFuture<JsonNode>> answers = new ConcurrentHashMap<>();
  private final List<String> complaints = new CopyOnWriteArrayList<>();
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private int lastId;

  private Browser(Path home, Process process, String pageAddress) {
    this.home = home;
    this.process = process;
    socket =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .buildAsync(URI.create(pageAddress), new Listener())
            .orTimeout(TIMEOUT.toSeconds(), TimeUnit.SECONDS)
            .join();
    for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
      call(domain + ".enable", Map.of());
    }
  }

  /** Starts it; the test is skipped, and the reason said, where there is none. */
  public static Browser open() {
    if (!Files.isExecutable(PROGRAM)) {
      String reason = "no " + PROGRAM + ": the console is not tried in a browser";
      System.out.println(reason);
      Assumptions.abort(reason);
    }
    try {
      Path home = Files.createTempDirectory("holdfast-browser");
      Process process =
          new ProcessBuilder(
                  PROGRAM.toString(),
                  "--headless=new",
                  "--no-sandbox",
                  "--disable-gpu",
                  "--disable-quic",
                  "--disable-background-networking",
                  "--disable-component-update",
                  "--no-first-run",
                  "--remote-debugging-port=0",
                  "--user-data-dir=" + home,
                  "about:blank")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return new Browser(home, process, pageAddress(home.resolve("DevToolsActivePort"), process));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String pageAddress(Path portFile, Process process) {
    return Awaitility.await("Chromium's page")
        .atMost(TIMEOUT)
        .pollInterval(Duration.ofMillis(50))
        .until(
            () -> {
              if (!process.isAlive()) {
                throw new AssertionError("Chromium ended with " + process.exitValue());
              }
              List<String> lines =
                  Files.exists(portFile) ? Files.readAllLines(portFile) : List.of();
              return lines.isEmpty() ? "" : pageAddress(lines.get(0));
            },
            address -> !address.isEmpty());
  }

  private static String pageAddress(String port) throws IOException, InterruptedException {
    String list =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/json/list"))
                    .build(),
                HttpResponse.BodyHandlers.ofString())
            .body();
    for (JsonNode target : JSON.readTree(list)) {
      if (target.path("type").asText().equals("page")) {
        return target.path("webSocketDebuggerUrl").asText();
      }
    }
    return "";
  }

  /** Goes to an address, and waits until its scripts were started. */
  public void go(String address) {
    complaints.clear();
    requests.clear();
    call("Page.navigate", Map.of("url", address));
    await("document.readyState === 'complete'");
  }

  /** The value of an expression in the page; of a promise what it becomes. */
  public JsonNode value(String expression) {
    JsonNode result =
        call(
            "Runtime.evaluate",
            Map.of("expression", expression, "returnByValue", true, "awaitPromise", true));
    if (result.has("exceptionDetails")) {
      throw new AssertionError(expression + ": " + result.path("exceptionDetails"));
    }
    return result.path("result").path("value");
  }

  /** Waits, at most a minute, until the expression is true. */
  public void await(String expression) {
    try {
      Awaitility.await(expression)
          .atMost(Duration.ofMinutes(1))
          .pollInterval(Duration.ofMillis(50))
          .ignoreException(AssertionError.class) // the page is just being replaced
          .until(() -> value(expression).asBoolean());
    } catch (org.awaitility.core.ConditionTimeoutException e) {
      throw new AssertionError("not true: " + expression + "\n" + text() + complaints, e);
    }
  }

  /** What a person sees of the page. */
  public String text() {
    return value("document.body.innerText").asText();
  }

  /** Waits, at most a minute, until the page shows this text. */
  public void awaitText(String text) {
    await("document.body.innerText.includes(" + JSON.valueToTree(text) + ")");
  }

  /** Presses the button of this name. */
  public void press(String name) {
    String button =
        "[...document.querySelectorAll('button')].filter(b => b.textContent === "
            + JSON.valueToTree(name)
            + ").pop()";
    await(button + " !== undefined");
    value(button + ".click()");
  }

  /** Types into the element of this selector. */
  public void type(String selector, String text) {
    value("document.querySelector('" + selector + "').focus()");
    call("Input.insertText", Map.of("text", text));
  }

  /** Has the page drawn for a wide or a narrow screen, in light or dark. */
  public void look(int width, int height, boolean isDark) {
    call(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
    Map<String, String> scheme =
        Map.of("name", "prefers-color-scheme", "value", isDark ? "dark" : "light");
    call("Emulation.setEmulatedMedia", Map.of("features", List.of(scheme)));
  }

  /** What axe finds in the page that is serious or critical for people with disabilities. */
  public List<String> barriers() {
    if (!value("typeof axe === 'object'").asBoolean()) {
      value(axe() + "; true");
    }
    JsonNode violations =
        value("axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)");
    List<String> serious = new ArrayList<>();
    for (JsonNode violation : violations) {
      String impact = violation.path("impact").asText();
      if (impact.equals("serious") || impact.equals("critical")) {
        List<String> where = new ArrayList<>();
        violation
            .path("nodes")
            .forEach(
                node -> where.add(node.path("html").asText() + ": " + node.path("failureSummary")));
        serious.add(violation.path("id").asText() + " " + where);
      }
    }
    return serious;
  }

  private static String axe() {
    String webjar = "/META-INF/maven/org.webjars.npm/axe-core/pom.properties";
    Properties properties = new Properties();
    try (InputStream in = Browser.class.getResourceAsStream(webjar)) {
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String file =
        "/META-INF/resources/webjars/axe-core/" + properties.getProperty("version") + "/axe.min.js";
    try (InputStream in = Browser.class.getResourceAsStream(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What scripts threw and what the policy forbade since the last {@link #go}. */
  public List<String> complaints() {
    return List.copyOf(complaints);
  }

  /** Addresses asked for since the last {@link #go}. */
  public List<String> requests() {
    return List.copyOf(requests);
  }

  private JsonNode call(String method, Map<String, Object> params) {
    int id = ++lastId;
    ObjectNode message = JSON.createObjectNode().put("id", id).put("method", method);
    message.set("params", JSON.valueToTree(params));
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    answers.put(id, answer);
    socket.sendText(message.toString(), true).join();
    JsonNode node = answer.orTimeout(TIMEOUT.toSeconds(), TimeUnit.SECONDS).join();
    if (node.has("error")) {
      throw new AssertionError(method + ": " + node.path("error"));
    }
    return node.path("result");
  }

  private void heard(JsonNode message) {
    if (message.has("id")) {
      CompletableFuture<JsonNode> answer = answers.remove(message.path("id").asInt());
      if (answer != null) {
        answer.complete(message);
      }
      return;
    }
    JsonNode params = message.path("params");
    switch (message.path("method").asText()) {
      case "Runtime.exceptionThrown" -> complaints.add(params.path("exceptionDetails").toString());
      case "Network.requestWillBeSent" -> requests.add(params.path("request").path("url").asText());
      case "Log.entryAdded" -> {
        // Not "network": a broker that is down, or a 404 that is asked for, is no fault of a page.
        JsonNode entry = params.path("entry");
        if (entry.path("level").asText().equals("error")
            && !entry.path("source").asText().equals("network")) {
          complaints.add(entry.toString());
        }
      }
      default -> {
        // of no interest
      }
    }
  }

  @Override
  public void close() {
    socket.abort();
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    try {
      process.waitFor(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Awaitility.await("Chromium's files")
        .ignoreExceptions() // its last process may still write
        .until(
            () -> {
              try (Stream<Path> files = Files.walk(home)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                  Files.deleteIfExists(file);
                }
              }
              return true;
            });
  }

  private final class Listener implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean isLast) {
      text.append(part);
      if (isLast) {
        try {
          heard(JSON.readTree(text.toString()));
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
        text.setLength(0);
      }
      from.request(1);
      return null;
    }
  }
}
