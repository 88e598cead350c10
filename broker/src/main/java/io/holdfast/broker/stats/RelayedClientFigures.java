package io.holdfast.broker.stats;

import io.holdfast.broker.cluster.relay.RelayedConsumer;
import io.holdfast.broker.queue.Consumer;
import io.holdfast.broker.queue.SubscriberInfo;
import java.util.List;

/** What /stats shows of a client that another node of the cluster is connected to. */
final class RelayedClientFigures {
  private static final String PROTOCOL = "V2";
  private static final int STATE_SUBSCRIBED = 3;
  private static final int STATE_CLOSING = 4;

  private RelayedClientFigures() {}

  /** Those of a consumer, null when it is none of another node's. */
  static ClientFigures of(Consumer consumer) {
    return consumer instanceof RelayedConsumer relayed ? filter -> figures(relayed) : null;
  }

  private static StatsSnapshot.ClientStats figures(RelayedConsumer client) {
    SubscriberInfo info = client.info();
    SubscriberInfo.Security security = info.security();
    return new StatsSnapshot.ClientStats(
        info.clientId(),
        info.hostname(),
        PROTOCOL,
        info.remoteAddress(),
        client.isSubscribed() ? STATE_SUBSCRIBED : STATE_CLOSING,
        client.readyCount(),
        client.inFlight().size(),
        client.messageCount(),
        client.finishCount(),
        client.requeueCount(),
        info.connectTimeMs() / 1000,
        info.sampleRate(),
        security.deflate(),
        security.snappy(),
        info.userAgent(),
        security.authed(),
        security.authIdentity(),
        security.authIdentityUrl(),
        info.topologyZone(),
        info.topologyRegion(),
        List.of(),
        security.tls(),
        security.tlsCipherSuite(),
        security.tlsVersion(),
        security.tlsNegotiatedProtocol(),
        security.tlsNegotiatedProtocolIsMutual(),
        client.connectedSeconds(),
        client.via());
  }
}
