package io.holdfast.broker.http;

import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.cluster.ClusterTopic;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.queue.Names;
import io.holdfast.broker.queue.Topic;
import io.holdfast.storage.topic.DirNames;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** The console's addresses: pages and the files they use. Immutable, thread-safe. */
final class ConsoleHandler {
  private static final String STATIC = "static/";

  private static final Map<String, String> TYPES =
      Map.of(
          "css", "text/css; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "svg", "image/svg+xml");

  private static final List<String> FILES =
      List.of(
          "actions.js",
          "app.js",
          "broker.js",
          "channel.js",
          "charts.js",
          "cluster.js",
          "configuration.js",
          "connections.js",
          "console.css",
          "dom.js",
          "events.js",
          "figures.js",
          "icon.svg",
          "messages.js",
          "overview.js",
          "policy.js",
          "table.js",
          "topic.js",
          "topics.js");

  private final Broker broker;

  /** Those that were loaded or asked for. */
  private final Map<String, HttpReply> files = new ConcurrentHashMap<>();

  ConsoleHandler(Broker broker) {
    this.broker = broker;
  }

  /** Reads all files from the jar, which blocks, so that no request has to. */
  void load() {
    FILES.forEach(this::file);
  }

  /**
   * Adds all of it.
   *
   * @param guarded stands before the page at /, whose address others than browsers may ask for
   */
  void addRoutes(HttpApi.Routes routes, Guarded guarded, Workers workers) {
    RequestHandler overview =
        guarded.handler(Right.READ, RequestHandler.immediate(page("overview", "Overview")));
    routes.add(Right.OPEN, "GET", "/", (request, reply) -> root(overview, request, reply));
    add(routes, "/console/topics", page("topics", "Topics"));
    add(routes, "/console/connections", page("connections", "Connections"));
    if (isCluster()) {
      add(routes, "/console/cluster", page("cluster", "Cluster"));
    }
    add(routes, "/console/events", page("events", "Events"));
    add(routes, "/console/configuration", page("configuration", "Configuration"));
    routes.add(Right.READ, "GET", "/console/topic", workers.blocking(this::topic), "topic");
    routes.add(
        Right.READ, "GET", "/console/channel", workers.blocking(this::channel), "topic", "channel");
    routes.add(Right.OPEN, "GET", "/console/static/{key}", RequestHandler.immediate(this::file));
  }

  private static void add(HttpApi.Routes routes, String path, RequestHandler.Immediate page) {
    routes.add(Right.READ, "GET", path, RequestHandler.immediate(page));
  }

  private RequestHandler.Immediate page(String name, String title) {
    return request -> frame(request).of(name, title);
  }

  private boolean isCluster() {
    return broker.cluster() != null;
  }

  private ConsolePage.Frame frame(ApiRequest request) {
    return new ConsolePage.Frame(Guarded.session(request) != null, isCluster());
  }

  /** GET /: the overview for browsers, for all others what nsqd has there. */
  private static void root(RequestHandler overview, ApiRequest request, Consumer<HttpReply> reply)
      throws HttpError {
    Consumer<HttpReply> varied = answer -> reply.accept(answer.with("Vary", "Accept"));
    if (Accepts.html(request)) {
      overview.handle(request, varied);
    } else {
      varied.accept(HttpReply.error(404, "NOT_FOUND"));
    }
  }

  private HttpReply topic(ApiRequest request) throws HttpError {
    String name = request.params().getOrEmpty("topic");
    return broker.existingTopic(name) == null && followed(name) == null
        ? frame(request).notFound("There is no topic of this name.")
        : frame(request).of("topic", "Topic");
  }

  private HttpReply channel(ApiRequest request) throws HttpError {
    String topicName = request.params().getOrEmpty("topic");
    String name = request.params().getOrEmpty("channel");
    Topic topic = broker.existingTopic(topicName);
    boolean exists =
        topic == null ? mayHave(followed(topicName), name) : topic.existingChannel(name) != null;
    return exists
        ? frame(request).of("channel", "Channel")
        : frame(request).notFound("There is no channel of this name.");
  }

  /** A topic that another broker leads; null when it is none. */
  private ClusterTopic followed(String topic) {
    return broker.cluster() == null ? null : broker.cluster().followed(topic);
  }

  /** Ephemeral channels are known to the leader alone. */
  private static boolean mayHave(ClusterTopic topic, String channel) {
    return topic != null
        && (topic.hasChannel(channel) || (Names.isValid(channel) && DirNames.isEphemeral(channel)));
  }

  private HttpReply file(ApiRequest request) {
    String name = request.pathParam();
    return FILES.contains(name) ? file(name) : HttpReply.error(404, "NOT_FOUND");
  }

  private HttpReply file(String name) {
    return files.computeIfAbsent(name, ConsoleHandler::read);
  }

  private static HttpReply read(String name) {
    String type = TYPES.get(name.substring(name.lastIndexOf('.') + 1));
    return HttpReply.bytes(type, ConsolePage.file(STATIC + name))
        .with("X-Content-Type-Options", "nosniff")
        .with("Cache-Control", "no-cache");
  }
}
