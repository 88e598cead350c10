package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.util.Endpoint;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** How far the followers' logs go, as they last said themselves. Thread-safe. */
final class JraftProgress {
  private final Map<Endpoint, Long> lastIndexes = new ConcurrentHashMap<>();

  void answered(Endpoint endpoint, AppendEntriesResponse response) {
    if (response.getSuccess()) {
      lastIndexes.put(endpoint, response.getLastLogIndex());
    }
  }

  /** The highest index there, negative when it is not known. */
  long lastIndex(Endpoint endpoint) {
    return lastIndexes.getOrDefault(endpoint, -1L);
  }

  /** What was known is of another term. */
  void clear() {
    lastIndexes.clear();
  }
}
