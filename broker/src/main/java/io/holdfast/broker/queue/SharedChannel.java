package io.holdfast.broker.queue;

import io.holdfast.storage.ledger.ChannelAccount;
import io.holdfast.storage.ledger.LedgerState;
import java.util.Map;

/**
 * What a channel of a topic that several brokers share is made of: what they have agreed on.
 *
 * @param name one that lasts
 * @param state what is finished and held; a copy, which the channel changes
 * @param account where it writes down what becomes of its messages
 * @param paused whether it delivers nothing
 * @param policy what was set by hand
 */
public record SharedChannel(
    String name,
    LedgerState state,
    ChannelAccount account,
    boolean paused,
    Map<String, String> policy) {}
