package io.holdfast.broker.http;

import io.holdfast.broker.access.HttpAccess;
import io.holdfast.broker.access.RequestGuard;
import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.config.HostName;
import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.history.Audit;
import io.holdfast.broker.history.Events;
import io.holdfast.broker.history.History;
import io.holdfast.broker.http.Router.BodyLimit;
import io.holdfast.broker.http.Router.Route;
import io.holdfast.broker.metrics.Metrics;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.stats.MemoryStats;
import io.holdfast.storage.journal.StorageOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/**
 * The list of endpoints (contract §5), for plain and TLS listeners alike. Immutable, thread-safe.
 */
public final class HttpApi {
  private final Router router;

  /**
   * @param broker serves the requests; its {@link Broker#workers()} run what blocks
   * @param metrics what /metrics shows
   * @param access who may
   * @param events what /events shows, and where changes go
   * @param history what /history shows
   */
  public HttpApi(
      Broker broker, Metrics metrics, HttpAccess access, Events events, History history) {
    MemoryStats.recordPauses();
    Workers workers = new Workers(broker.workers());
    StatsHandler stats = new StatsHandler(broker);
    AdminHandler admin = new AdminHandler(broker);
    PubHandler pub =
        new PubHandler(
            new PubHandler.Limits(
                () -> broker.options().maxMsgSize(),
                () -> broker.options().maxBodySize(),
                () -> broker.options().maxReqTimeoutMs()),
            new BrokerTopics(broker),
            broker.meters().publish()::record);
    ConfigHandler config =
        new ConfigHandler(
            key -> broker.options().configValue(key),
            broker::setLogLevel,
            broker::setLookupdTcpAddresses,
            () -> broker.options().maxMsgSize());

    Audit audit = new Audit(events);
    LoginHandler login = new LoginHandler(access, audit);
    Guarded guarded = new Guarded(access, audit);
    Routes routes = new Routes(guarded);
    routes.add(Right.OPEN, "GET", "/ping", RequestHandler.immediate(stats::ping));
    HealthHandler health = new HealthHandler(broker.health());
    routes.add(Right.OPEN, "GET", "/health/ready", RequestHandler.immediate(health::ready));
    routes.add(Right.OPEN, "GET", "/health/live", RequestHandler.immediate(health::live));
    routes.add(Right.READ, "GET", "/info", RequestHandler.immediate(stats::info));
    routes.add(Right.READ, "GET", "/stats", workers.blocking(stats::stats));
    PeekHandler peek = new PeekHandler(broker);
    routes.add(Right.READ, "GET", "/topic/peek", workers.blocking(peek::topic));
    routes.add(Right.READ, "GET", "/channel/peek", workers.blocking(peek::channel));
    routes.add(
        Right.READ, "GET", "/metrics", workers.blocking(new MetricsHandler(metrics)::metrics));
    routes.add(Right.PUBLISH, "POST", "/pub", pub.pubBodyLimit(), pub::pub);
    routes.add(Right.PUBLISH, "POST", "/mpub", pub.mpubBodyLimit(), pub::mpub);
    routes.add(Right.ADMIN, "POST", "/topic/create", admin::createTopic);
    routes.add(Right.ADMIN, "POST", "/topic/delete", workers.blocking(admin::deleteTopic));
    routes.add(Right.ADMIN, "POST", "/topic/empty", workers.blocking(admin::emptyTopic));
    routes.add(Right.ADMIN, "POST", "/topic/pause", workers.blocking(admin.onTopic(Topic::pause)));
    routes.add(
        Right.ADMIN, "POST", "/topic/unpause", workers.blocking(admin.onTopic(Topic::unpause)));
    routes.add(Right.ADMIN, "POST", "/channel/create", workers.blocking(admin::createChannel));
    routes.add(Right.ADMIN, "POST", "/channel/delete", workers.blocking(admin::deleteChannel));
    routes.add(
        Right.ADMIN, "POST", "/channel/empty", workers.blocking(admin.onChannel(Channel::empty)));
    routes.add(
        Right.ADMIN, "POST", "/channel/pause", workers.blocking(admin.onChannel(Channel::pause)));
    routes.add(
        Right.ADMIN,
        "POST",
        "/channel/unpause",
        workers.blocking(admin.onChannel(Channel::unpause)));
    routes.add(Right.READ, "GET", "/config/{key}", RequestHandler.immediate(config::get));
    routes.add(
        Right.ADMIN, "PUT", "/config/{key}", config.bodyLimit(), workers.blocking(config::put));
    routes.add(
        Right.READ, "GET", "/events", RequestHandler.immediate(new EventsHandler(events)::events));
    routes.add(
        Right.READ, "GET", "/history", workers.blocking(new HistoryHandler(history)::history));
    routes.add(
        Right.READ,
        "GET",
        "/configuration",
        RequestHandler.immediate(request -> HttpReply.json(broker.options().shown())));
    new ConsoleHandler(broker).addRoutes(routes, guarded, workers);
    routes.add(Right.OPEN, "GET", "/login", RequestHandler.immediate(login::page));
    routes.add(
        Right.OPEN,
        "POST",
        "/login",
        BodyLimits.collect(() -> LoginHandler.MAX_FORM_BYTES, HttpReply.error(413, "BODY_TOO_BIG")),
        login::login);
    routes.add(Right.OPEN, "POST", "/logout", RequestHandler.immediate(login::logout));
    DebugHandler.addRoutes(routes, workers);
    router = new Router(routes.list, guard(broker.options()), broker.health()::isStarting);
  }

  private static RequestGuard guard(Options options) {
    List<String> names = new ArrayList<>(options.httpAllowedHosts());
    names.add(HostName.ofThisMachine());
    names.add(options.broadcastAddress());
    Stream.of(options.httpAddress(), options.httpsAddress())
        .flatMap(Optional::stream)
        .map(ListenAddress::host)
        .filter(Objects::nonNull)
        .forEach(names::add);
    return new RequestGuard(names, options.isDebugEndpoints());
  }

  Router router() {
    return router;
  }

  /** Collects routes while the API is built. */
  static final class Routes {
    private final List<Route> list = new ArrayList<>();

    private final Guarded guarded;

    /**
     * @param guarded stands before each handler
     */
    Routes(Guarded guarded) {
      this.guarded = guarded;
    }

    /** Adds a route that ignores request bodies. */
    void add(Right right, String method, String path, RequestHandler handler) {
      add(right, method, path, BodyLimit.NONE, handler);
    }

    void add(Right right, String method, String path, BodyLimit bodyLimit, RequestHandler handler) {
      list.add(new Route(method, path, bodyLimit, guarded.handler(right, handler)));
    }

    List<Route> list() {
      return list;
    }
  }

  private record BrokerTopics(Broker broker) implements PubHandler.Topics {
    @Override
    public PubHandler.Target existing(String name) {
      Topic topic = broker.existingTopic(name);
      return topic == null ? null : topic::putMessages;
    }

    @Override
    public CompletableFuture<PubHandler.Target> getOrCreate(String name) {
      // Making a topic takes some ms, and waits for nsqlookupd: the message is older than that.
      long arrivedNs = StorageOptions.wallNowNs();
      return broker
          .topicLater(name)
          .thenApply(
              topic ->
                  (section, count, deferMs, listener) ->
                      topic.putMessages(section, count, deferMs, arrivedNs, listener));
    }
  }
}
