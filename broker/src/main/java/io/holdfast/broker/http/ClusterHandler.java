package io.holdfast.broker.http;

import io.holdfast.broker.core.BrokerCluster;

/** /cluster: how the cluster stands as seen from this node. Stateless. */
final class ClusterHandler {
  private final BrokerCluster cluster;

  ClusterHandler(BrokerCluster cluster) {
    this.cluster = cluster;
  }

  /** GET /cluster. */
  HttpReply cluster(ApiRequest request) throws HttpError {
    QueryParams params = request.params();
    String topic = params.get("topic") == null ? null : AdminHandler.requireTopicName(params);
    return HttpReply.json(cluster.view(topic));
  }
}
