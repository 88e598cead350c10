package io.holdfast.broker.lookup;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/**
 * What the broker says of itself in IDENTIFY to nsqlookupd (contract §6); its JSON is the body.
 *
 * @param broadcastAddress broadcast-address; nsqlookupd refuses an empty one
 * @param hostname the machine's name
 * @param httpPort broadcast HTTP port; nsqlookupd refuses 0
 * @param tcpPort broadcast TCP port; nsqlookupd refuses 0
 * @param topologyRegion topology-region, may be empty
 * @param topologyZone topology-zone, may be empty
 * @param version the nsqd version we report, {@code 1.3.0}
 */
@JsonPropertyOrder(alphabetic = true)
public record BrokerIdentity(
    @JsonProperty("broadcast_address") String broadcastAddress,
    @JsonProperty("hostname") String hostname,
    @JsonProperty("http_port") int httpPort,
    @JsonProperty("tcp_port") int tcpPort,
    @JsonProperty("topology_region") String topologyRegion,
    @JsonProperty("topology_zone") String topologyZone,
    @JsonProperty("version") String version) {}
