package io.holdfast.broker.http;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.holdfast.broker.config.OptionsLoader;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.stats.MemoryBudgetStats;
import io.holdfast.broker.stats.MemoryStats;
import io.holdfast.broker.stats.Producers;
import io.holdfast.broker.stats.StatsSnapshot;
import io.holdfast.broker.stats.StatsSnapshotText;
import java.util.Map;

/** /ping, /info and /stats. Stateless. */
final class StatsHandler {
  private static final long NS_PER_MS = 1_000_000;
  private static final Map<String, Boolean> BOOLEANS =
      Map.of("true", true, "1", true, "false", false, "0", false);

  private final Broker broker;
  private final Producers producers;

  StatsHandler(Broker broker, Producers producers) {
    this.broker = broker;
    this.producers = producers;
  }

  /** GET /ping. */
  HttpReply ping(ApiRequest request) {
    String error = broker.health().isStarting() ? "starting" : broker.healthError();
    return error == null
        ? HttpReply.plainText(200, "OK")
        : HttpReply.plainText(500, "NOK - " + error);
  }

  /** GET /info. */
  HttpReply info(ApiRequest request) {
    return HttpReply.json(
        new Info(
            StatsSnapshot.VERSION,
            broker.options().broadcastAddress(),
            broker.hostname(),
            broker.httpPort(),
            broker.tcpPort(),
            broker.startTimeMs() / 1000,
            broker.options().maxHeartbeatIntervalMs() * NS_PER_MS,
            broker.options().maxOutputBufferSize(),
            broker.options().maxOutputBufferTimeoutMs() * NS_PER_MS,
            broker.options().maxDeflateLevel(),
            broker.options().topologyZone(),
            broker.options().topologyRegion(),
            OptionsLoader.version()));
  }

  /** GET /stats; visits every topic, channel and client, hence on a worker. */
  HttpReply stats(ApiRequest request) throws HttpError {
    QueryParams params = request.params();
    StatsSnapshot snapshot =
        StatsSnapshot.of(
            broker,
            producers,
            params.getOrEmpty("topic"),
            params.getOrEmpty("channel"),
            includes(params, "include_clients"));
    if (includes(params, "include_mem")) {
      snapshot = snapshot.withMemory(MemoryStats.now(), MemoryBudgetStats.of(broker.memory()));
    }
    return params.getOrEmpty("format").equals("json")
        ? HttpReply.json(snapshot)
        : HttpReply.text(
            StatsSnapshotText.render(snapshot, broker.startTimeMs(), broker.uptimeMs()));
  }

  private static boolean includes(QueryParams params, String name) {
    return BOOLEANS.getOrDefault(params.getOrEmpty(name), true);
  }

  /** Ports are those listened on, -1 for a unix socket; times in ns but for the start, in s. */
  private record Info(
      @JsonProperty("version") String version,
      @JsonProperty("broadcast_address") String broadcastAddress,
      @JsonProperty("hostname") String hostname,
      @JsonProperty("http_port") int httpPort,
      @JsonProperty("tcp_port") int tcpPort,
      @JsonProperty("start_time") long startTime,
      @JsonProperty("max_heartbeat_interval") long maxHeartbeatIntervalNs,
      @JsonProperty("max_output_buffer_size") long maxOutputBufferSize,
      @JsonProperty("max_output_buffer_timeout") long maxOutputBufferTimeoutNs,
      @JsonProperty("max_deflate_level") int maxDeflateLevel,
      @JsonProperty("topology_zone") String topologyZone,
      @JsonProperty("topology_region") String topologyRegion,
      @JsonProperty("holdfast_version") String holdfastVersion) {}
}
