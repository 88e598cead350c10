/** Policies of channels and topics: what can be set, where it comes from, and what each decides. */
package io.holdfast.broker.policy;
