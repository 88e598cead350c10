package io.holdfast.broker.http;

import io.holdfast.broker.Broker;
import io.holdfast.broker.access.RequestGuard;
import io.holdfast.broker.channel.Channel;
import io.holdfast.broker.config.HostName;
import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.http.Router.BodyLimit;
import io.holdfast.broker.http.Router.Route;
import io.holdfast.broker.metrics.Metrics;
import io.holdfast.broker.stats.MemoryStats;
import io.holdfast.broker.topic.Topic;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The list of endpoints (contract §5), for plain and TLS listeners alike. Immutable, thread-safe.
 */
public final class HttpApi {
  private final Router router;

  /**
   * @param broker serves the requests; its {@link Broker#workers()} run what blocks
   * @param metrics what /metrics shows
   */
  public HttpApi(Broker broker, Metrics metrics) {
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

    Routes routes = new Routes();
    routes.add("GET", "/ping", RequestHandler.immediate(stats::ping));
    routes.add("GET", "/info", RequestHandler.immediate(stats::info));
    routes.add("GET", "/stats", workers.blocking(stats::stats));
    routes.add("GET", "/topic/peek", workers.blocking(new PeekHandler(broker)::topic));
    routes.add("GET", "/metrics", workers.blocking(new MetricsHandler(metrics)::metrics));
    routes.add("POST", "/pub", pub.pubBodyLimit(), pub::pub);
    routes.add("POST", "/mpub", pub.mpubBodyLimit(), pub::mpub);
    routes.add("POST", "/topic/create", admin::createTopic);
    routes.add("POST", "/topic/delete", workers.blocking(admin::deleteTopic));
    routes.add("POST", "/topic/empty", workers.blocking(admin::emptyTopic));
    routes.add("POST", "/topic/pause", workers.blocking(admin.onTopic(Topic::pause)));
    routes.add("POST", "/topic/unpause", workers.blocking(admin.onTopic(Topic::unpause)));
    routes.add("POST", "/channel/create", workers.blocking(admin::createChannel));
    routes.add("POST", "/channel/delete", workers.blocking(admin::deleteChannel));
    routes.add("POST", "/channel/empty", workers.blocking(admin.onChannel(Channel::empty)));
    routes.add("POST", "/channel/pause", workers.blocking(admin.onChannel(Channel::pause)));
    routes.add("POST", "/channel/unpause", workers.blocking(admin.onChannel(Channel::unpause)));
    routes.add("GET", "/config/{key}", RequestHandler.immediate(config::get));
    routes.add("PUT", "/config/{key}", config.bodyLimit(), workers.blocking(config::put));
    DebugHandler.addRoutes(routes, workers);
    router = new Router(routes.list, guard(broker.options()));
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

    /** Adds a route that ignores request bodies. */
    void add(String method, String path, RequestHandler handler) {
      add(method, path, BodyLimit.NONE, handler);
    }

    void add(String method, String path, BodyLimit bodyLimit, RequestHandler handler) {
      list.add(new Route(method, path, bodyLimit, handler));
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
      return broker.topicLater(name).thenApply(topic -> topic::putMessages);
    }
  }
}
