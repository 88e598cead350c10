package io.holdfast.broker.lookup;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What an nsqlookupd answered to IDENTIFY (contract §6).
 *
 * @param broadcastAddress where its HTTP API is to be found; null or empty if it did not say
 * @param hostname its machine's name, may be null
 * @param httpPort port of its HTTP API, 0 if it did not say
 * @param tcpPort port of its TCP protocol, 0 if it did not say
 * @param version its version, may be null
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record PeerInfo(
    @JsonProperty("broadcast_address") String broadcastAddress,
    @JsonProperty("hostname") String hostname,
    @JsonProperty("http_port") int httpPort,
    @JsonProperty("tcp_port") int tcpPort,
    @JsonProperty("version") String version) {
  /** Whether its HTTP API can be asked for channels. */
  boolean hasHttp() {
    return broadcastAddress != null && !broadcastAddress.isEmpty() && httpPort > 0;
  }
}
