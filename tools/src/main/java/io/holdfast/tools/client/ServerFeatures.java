package io.holdfast.tools.client;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What the broker answered to IDENTIFY (PROTOCOL.md §2).
 *
 * @param version the broker's version; empty when it did not negotiate
 * @param maxRdyCount highest RDY it takes
 * @param msgTimeoutMs message timeout in force; 0 = unknown
 * @param authRequired whether AUTH must come first
 * @param keepsBacklog whether a topic keeps its backlog when its first channel is an ephemeral one;
 *     nsqd's does not
 */
public record ServerFeatures(
    String version,
    int maxRdyCount,
    long msgTimeoutMs,
    boolean authRequired,
    boolean keepsBacklog) {

  /** Of a broker that answered only {@code OK}. */
  static final ServerFeatures UNKNOWN = new ServerFeatures("", 2500, 0, false, false);

  static ServerFeatures of(JsonNode json) {
    return new ServerFeatures(
        json.path("version").asText(""),
        json.path("max_rdy_count").asInt(UNKNOWN.maxRdyCount),
        json.path("msg_timeout").asLong(0),
        json.path("auth_required").asBoolean(false),
        json.path("keeps_backlog").asBoolean(false));
  }
}
