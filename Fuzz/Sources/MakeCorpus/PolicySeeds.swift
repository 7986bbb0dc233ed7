/// Documents of policies and identities, right and wrong.
enum PolicySeeds {
    /// The texts.
    static let documents = [
        """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: web, namespace: shop, annotations: {dnsproxyd.io/enforcement: audit}}
        spec:
          endpointSelector:
            matchLabels: {app: web, "k8s:io.kubernetes.pod.namespace": shop}
            matchExpressions: [{key: tier, operator: In, values: [a, b]}, {key: x, operator: DoesNotExist}]
          egress:
          - toEndpoints: [{matchLabels: {k8s-app: kube-dns}}]
            toPorts:
            - ports: [{port: "53", protocol: ANY}]
              rules: {dns: [{matchName: example.com}, {matchPattern: "*.svc.**.local"}, {matchPattern: "*"}]}
          - toFQDNs: [{matchName: api.example.com}, {matchPattern: "**.example.com"}]
            toPorts: [{ports: [{port: "443", endPort: 444, protocol: TCP}]}]
        ---
        identities:
        - {name: web, namespace: shop, labels: {app: web, tier: a}, addresses: [10.0.0.1, "fd00::/64"]}
        """,
        """
        kind: CiliumClusterwideNetworkPolicy
        apiVersion: cilium.io/v2
        metadata:
          name: all
        specs:
          - endpointSelector: {}
            enableDefaultDeny: {egress: false}
            egressDeny:
              - toPorts:
                  - ports:
                      - port: domain
                    rules:
                      dns:
                        - matchPattern: "a-*.b"
          - nodeSelector: {}
        """,
        """
        identities: &all
          - name: "a\\u00e9"
            labels: {? a : b}
            addresses: [0.0.0.0/0, ::/0, 10.0.0.0/33]
          - *all
        """,
        """
        %YAML 1.2
        --- !!map
        kind: |
          Folded
        spec: >-
          text
        ...
        --- [1, 2.5, .inf, ~, true, 0x1F, 2001-01-01]
        """,
        "kind: CiliumNetworkPolicy\nmetadata: {name: p, name: q}\nspec: {endpointSelector: {matchLabels: [a]}, egres: []}\n",
        "{\"identities\": [{\"name\": \"x\", \"addresses\": [\"127.0.0.1\"]}]}",
    ]
}
