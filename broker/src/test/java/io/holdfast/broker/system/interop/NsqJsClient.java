package io.holdfast.broker.system.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** nsqjs in a node process, spoken to in JSON lines; see {@code nsqjs/bridge.js}. */
public final class NsqJsClient implements InteropClient {
  private static final JsonMapper JSON = new JsonMapper();
  private static final String VERSION = "0.13.0";

  private final Process node;
  private final Writer commands;
  private final Map<Integer, CompletableFuture<JsonNode>> replies = new ConcurrentHashMap<>();
  private final AtomicInteger nextId = new AtomicInteger();
  private volatile Handler handler;

  /** Installs nsqjs into that directory; returns why that failed, or null. */
  public static String install(Path directory) {
    try {
      Process npm =
          new ProcessBuilder(
                  "npm", "install", "--no-audit", "--no-fund", "--silent", "nsqjs@" + VERSION)
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve("npm.log").toFile())
              .start();
      if (!npm.waitFor(60, TimeUnit.SECONDS)) {
        npm.destroyForcibly();
        return "npm install took over 60 s";
      }
      if (npm.exitValue() != 0) {
        return "npm install ended with "
            + npm.exitValue()
            + ": "
            + Files.readString(directory.resolve("npm.log"));
      }
      try (InputStream bridge = NsqJsClient.class.getResourceAsStream("/nsqjs/bridge.js")) {
        Files.copy(bridge, directory.resolve("bridge.js"));
      }
      return null;
    } catch (IOException e) {
      return "no node and npm: " + e.getMessage();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  public NsqJsClient(Path directory, int tcpPort, Transport transport) {
    try {
      node =
          new ProcessBuilder("node", "bridge.js", Integer.toString(tcpPort), transport.name())
              .directory(directory.toFile())
              .redirectError(directory.resolve("node.log").toFile())
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    commands = node.outputWriter(StandardCharsets.UTF_8);
    Thread reader = new Thread(this::readEvents, "nsqjs-events");
    reader.setDaemon(true);
    reader.start();
  }

  private void readEvents() {
    try (BufferedReader events = node.inputReader(StandardCharsets.UTF_8)) {
      for (String line = events.readLine(); line != null; line = events.readLine()) {
        JsonNode event = JSON.readTree(line);
        if (event.has("reply")) {
          replies.remove(event.path("reply").asInt()).complete(event);
        } else {
          handler.handle(new NsqJsDelivery(this, event));
        }
      }
    } catch (IOException e) {
      replies.values().forEach(reply -> reply.completeExceptionally(e));
    }
  }

  private synchronized void send(ObjectNode command) {
    try {
      commands.write(command + "\n");
      commands.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void publish(String topic, List<String> bodies, int delayMs) {
    int id = nextId.incrementAndGet();
    CompletableFuture<JsonNode> reply = new CompletableFuture<>();
    replies.put(id, reply);
    ObjectNode command =
        JSON.createObjectNode().put("op", "publish").put("id", id).put("topic", topic);
    command.put("delayMs", delayMs);
    bodies.forEach(command.putArray("bodies")::add);
    send(command);
    try {
      JsonNode error = reply.get(5, TimeUnit.SECONDS).path("error");
      if (!error.isNull()) {
        throw new IllegalStateException(error.asText());
      }
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("no answer to a publish", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void publish(String topic, String body) {
    publish(topic, List.of(body), -1);
  }

  @Override
  public void publishMulti(String topic, List<String> bodies) {
    publish(topic, bodies, -1);
  }

  @Override
  public boolean canDefer() {
    return true;
  }

  @Override
  public void publishDeferred(String topic, String body, int delayMs) {
    publish(topic, List.of(body), delayMs);
  }

  @Override
  public void consume(String topic, String channel, Handler newHandler) {
    handler = newHandler;
    send(JSON.createObjectNode().put("op", "consume").put("topic", topic).put("channel", channel));
  }

  @Override
  public void close() {
    node.destroyForcibly();
  }

  private record NsqJsDelivery(NsqJsClient client, JsonNode event) implements Delivery {
    private void answer(String op, int delayMs) {
      ObjectNode command = JSON.createObjectNode().put("op", op).put("delayMs", delayMs);
      client.send(command.put("delivery", event.path("delivery").asInt()));
    }

    @Override
    public String body() {
      return event.path("body").asText();
    }

    @Override
    public int attempts() {
      return event.path("attempts").asInt();
    }

    @Override
    public void finish() {
      answer("finish", 0);
    }

    @Override
    public void requeue(int delayMs) {
      answer("requeue", delayMs);
    }

    @Override
    public void touch() {
      answer("touch", 0);
    }
  }
}
