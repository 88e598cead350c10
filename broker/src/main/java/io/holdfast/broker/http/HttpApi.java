package io.holdfast.broker.http;

import io.holdfast.broker.access.HttpAccess;
import io.holdfast.broker.access.RequestGuard;
import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.config.HostName;
import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.core.BrokerCluster;
import io.holdfast.broker.history.Audit;
import io.holdfast.broker.history.Events;
import io.holdfast.broker.history.History;
import io.holdfast.broker.http.Router.BodyLimit;
import io.holdfast.broker.http.Router.Route;
import io.holdfast.broker.metrics.Metrics;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.stats.Producers;
import io.holdfast.storage.journal.StorageOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/**
 * The list of endpoints (contract §5), for plain and TLS listeners alike. Immutable, thread-safe.
 */
public final class HttpApi {
  private final Router router;
  private final ConsoleHandler console;

  /**
   * @param broker serves the requests; its {@link Broker#workers()} run what blocks
   * @param producers connections that publish, for /stats
   * @param metrics what /metrics shows
   * @param access who may
   * @param events what /events shows, and where changes go
   * @param history what /history shows
   */
  public HttpApi(
      Broker broker,
      Producers producers,
      Metrics metrics,
      HttpAccess access,
      Events events,
      History history) {
    Workers workers = new Workers(broker.workers());
    Audit audit = new Audit(events);
    Guarded guarded = new Guarded(access, audit);
    AtLeader atLeader = new AtLeader(broker.cluster(), guarded, workers);
    Routes routes = new Routes(guarded, atLeader);
    addState(routes, broker, producers, workers);
    if (broker.cluster() != null) {
      new ClusterHandler(broker.cluster()).addRoutes(routes);
    }
    addPeek(routes, broker, workers);
    routes.add(
        Right.READ, "GET", "/metrics", workers.blocking(new MetricsHandler(metrics)::metrics));
    addPublish(routes, broker);
    addAdmin(routes, broker, workers);
    new PolicyHandler(broker).addRoutes(routes, workers);
    new DeadLetterHandler(broker).addRoutes(routes, workers);
    new RewindHandler(broker).addRoutes(routes, workers);
    addConfig(routes, broker, workers);
    addPast(routes, broker, workers, events, history);
    new ListHandler(broker, producers, history.rates()).addRoutes(routes, workers);
    console = new ConsoleHandler(broker);
    console.addRoutes(routes, guarded, workers);
    addLogin(routes, new LoginHandler(access, audit));
    DebugHandler.addRoutes(routes, workers);
    atLeader.serve();
    router =
        new Router(
            routes.list, guard(broker.options()), broker.health()::isStarting, guarded::foreign);
  }

  /** Reads what requests may ask for from the jar, once the broker runs. Blocks. */
  public void load() {
    console.load();
  }

  private static void addState(Routes to, Broker broker, Producers producers, Workers workers) {
    StatsHandler stats = new StatsHandler(broker, producers);
    to.add(Right.OPEN, "GET", "/ping", RequestHandler.immediate(stats::ping));
    HealthHandler health = new HealthHandler(broker.health());
    to.add(Right.OPEN, "GET", "/health/ready", RequestHandler.immediate(health::ready));
    to.add(Right.OPEN, "GET", "/health/live", RequestHandler.immediate(health::live));
    to.add(Right.READ, "GET", "/info", RequestHandler.immediate(stats::info));
    to.add(
        Right.READ,
        "GET",
        "/stats",
        workers.blocking(stats::stats),
        "format",
        "topic",
        "channel",
        "include_clients",
        "include_mem");
  }

  private static void addPeek(Routes to, Broker broker, Workers workers) {
    PeekHandler peek = new PeekHandler(broker);
    to.addOfTopic(
        Right.READ,
        "GET",
        "/topic/peek",
        workers.blocking(peek::topic),
        "topic",
        "from",
        "n",
        "bytes");
    to.addOfTopic(
        Right.READ,
        "GET",
        "/channel/peek",
        workers.blocking(peek::channel),
        "topic",
        "channel",
        "state",
        "n",
        "bytes");
  }

  private static void addPublish(Routes to, Broker broker) {
    PubHandler pub =
        new PubHandler(
            new PubHandler.Limits(
                () -> broker.options().maxMsgSize(),
                () -> broker.options().maxBodySize(),
                () -> broker.options().maxReqTimeoutMs()),
            new BrokerTopics(broker),
            broker.meters().publish()::record);
    to.add(Right.PUBLISH, "POST", "/pub", pub.pubBodyLimit(), pub::pub, "topic", "defer");
    to.add(Right.PUBLISH, "POST", "/mpub", pub.mpubBodyLimit(), pub::mpub, "topic", "binary");
  }

  private static void addConfig(Routes to, Broker broker, Workers workers) {
    ConfigHandler config =
        new ConfigHandler(
            key -> broker.options().configValue(key),
            broker::setLogLevel,
            broker::setLookupdTcpAddresses,
            () -> broker.options().maxMsgSize());

    to.add(Right.READ, "GET", "/config/{key}", RequestHandler.immediate(config::get));
    to.add(Right.ADMIN, "PUT", "/config/{key}", config.bodyLimit(), workers.blocking(config::put));
    to.add(
        Right.READ,
        "GET",
        "/configuration",
        RequestHandler.immediate(request -> HttpReply.json(broker.options().shown())));
  }

  private static void addPast(
      Routes to, Broker broker, Workers workers, Events events, History history) {
    to.add(Right.READ, "GET", "/events", workers.blocking(new EventsHandler(events)::events), "n");
    to.addOfTopic(
        Right.READ,
        "GET",
        "/history",
        workers.blocking(new HistoryHandler(broker, history)::history),
        "topic",
        "channel",
        "n");
  }

  private static void addLogin(Routes to, LoginHandler login) {
    to.add(Right.OPEN, "GET", "/login", RequestHandler.immediate(login::page));
    to.add(
        Right.OPEN,
        "POST",
        "/login",
        BodyLimits.collect(() -> LoginHandler.MAX_FORM_BYTES, HttpReply.error(413, "BODY_TOO_BIG")),
        login::login);
    to.add(Right.OPEN, "POST", "/logout", RequestHandler.immediate(login::logout));
  }

  private static void addAdmin(Routes to, Broker broker, Workers workers) {
    AdminHandler admin = new AdminHandler(broker);
    String[] topic = {"topic"};
    String[] both = {"topic", "channel"};
    to.addOfTopic(Right.ADMIN, "POST", "/topic/create", admin::createTopic, topic);
    to.addOfTopic(
        Right.ADMIN, "POST", "/topic/delete", workers.blocking(admin::deleteTopic), topic);
    to.addOfTopic(Right.ADMIN, "POST", "/topic/empty", workers.blocking(admin::emptyTopic), topic);
    RequestHandler pause = workers.blocking(admin.onTopic(Topic::pause));
    RequestHandler unpause = workers.blocking(admin.onTopic(Topic::unpause));
    to.addOfTopic(Right.ADMIN, "POST", "/topic/pause", pause, topic);
    to.addOfTopic(Right.ADMIN, "POST", "/topic/unpause", unpause, topic);
    to.addOfTopic(
        Right.ADMIN,
        "POST",
        "/channel/create",
        workers.blocking(admin::createChannel),
        "topic",
        "channel",
        "from");
    to.addOfTopic(
        Right.ADMIN, "POST", "/channel/delete", workers.blocking(admin::deleteChannel), both);
    RequestHandler empty = workers.blocking(admin.onChannel(Channel::empty));
    RequestHandler pauseChannel = workers.blocking(admin.onChannel(Channel::pause));
    RequestHandler unpauseChannel = workers.blocking(admin.onChannel(Channel::unpause));
    to.addOfTopic(Right.ADMIN, "POST", "/channel/empty", empty, both);
    to.addOfTopic(Right.ADMIN, "POST", "/channel/pause", pauseChannel, both);
    to.addOfTopic(Right.ADMIN, "POST", "/channel/unpause", unpauseChannel, both);
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
    private final AtLeader atLeader;

    /**
     * @param guarded stands before each handler
     * @param atLeader has shared topics asked about where they are led
     */
    Routes(Guarded guarded, AtLeader atLeader) {
      this.guarded = guarded;
      this.atLeader = atLeader;
    }

    /** Those that were added. */
    List<Route> all() {
      return List.copyOf(list);
    }

    /** Adds a route that ignores request bodies. */
    void add(
        Right right, String method, String path, RequestHandler handler, String... parameters) {
      add(right, method, path, BodyLimit.NONE, handler, parameters);
    }

    /**
     * Adds a route, which openapi.yaml must have, too.
     *
     * @param parameters those of the query that the handler asks for, and no others
     */
    void add(
        Right right,
        String method,
        String path,
        BodyLimit bodyLimit,
        RequestHandler handler,
        String... parameters) {
      list.add(
          new Route(
              right, method, path, Set.of(parameters), bodyLimit, guarded.handler(right, handler)));
    }

    /** As {@link #add}, for what is asked of a topic: whoever leads it answers. */
    void addOfTopic(
        Right right, String method, String path, RequestHandler handler, String... parameters) {
      addOfTopic(right, method, path, BodyLimit.NONE, handler, parameters);
    }

    /** As {@link #add}, for what is asked of a topic: whoever leads it answers. */
    void addOfTopic(
        Right right,
        String method,
        String path,
        BodyLimit bodyLimit,
        RequestHandler handler,
        String... parameters) {
      Set<String> names = Set.of(parameters);
      RequestHandler led = atLeader.handler(right, method, path, names, handler);
      add(right, method, path, bodyLimit, led, parameters);
    }

    List<Route> list() {
      return list;
    }
  }

  private record BrokerTopics(Broker broker) implements PubHandler.Topics {
    @Override
    public PubHandler.Target existing(String name) {
      BrokerCluster cluster = broker.cluster();
      if (cluster != null && cluster.shares(name)) {
        // What is told is that it waits for others.
        return (section, count, deferMs, listener) -> {
          cluster.publishes().publish(name, section.nioBuffer(), count, deferMs, listener);
          return false;
        };
      }
      Topic topic = broker.existingTopic(name);
      return topic == null
          ? null
          : (section, count, deferMs, listener) ->
              topic.putMessages(section.nioBuffer(), count, deferMs, 0, listener);
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
                      topic.putMessages(section.nioBuffer(), count, deferMs, arrivedNs, listener));
    }
  }
}
