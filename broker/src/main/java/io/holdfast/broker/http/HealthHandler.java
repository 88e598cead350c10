package io.holdfast.broker.http;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.holdfast.broker.core.Health;
import java.util.List;

/** /health/live and /health/ready, for whatever watches over processes. Stateless. */
final class HealthHandler {
  /** All below this is answered while the broker starts. */
  static final String PREFIX = "/health/";

  private final Health health;

  HealthHandler(Health health) {
    this.health = health;
  }

  /** GET /health/live: who can answer lives. */
  HttpReply live(ApiRequest request) {
    return reply(List.of());
  }

  /** GET /health/ready. */
  HttpReply ready(ApiRequest request) {
    return reply(health.ready());
  }

  private static HttpReply reply(List<Health.Check> checks) {
    boolean isFailed = checks.stream().anyMatch(Health.Check::hasFailed);
    return HttpReply.json(isFailed ? 503 : 200, new Answer(isFailed ? "failed" : "ok", checks));
  }

  private record Answer(
      @JsonProperty("status") String status, @JsonProperty("checks") List<Health.Check> checks) {}
}
