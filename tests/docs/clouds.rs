//! The clouds' own commands. No test can carry them out; what can be held is that they are those that were compared with the
//! clouds' programs.

use std::collections::BTreeSet;

use crate::commands::commands;

/// The programs that are not ours and not Kubernetes'.
pub(crate) const PROGRAMS: [&str; 4] = ["aws", "az", "gcloud", "terraform"];

/// Each command with its flags, as they were compared by hand: `aws` 1.45 by `--generate-cli-skeleton output`, `gcloud` 528 by
/// running it without an account (it reads its arguments first), `az` 2.91 by its source. Whoever changes one does it again.
#[rustfmt::skip]
const COMPARED: &[(&str, &str)] = &[
    ("aws ec2 authorize-security-group-ingress", "--cidr --group-id --port --protocol"),
    ("aws ec2 create-security-group", "--description --group-name --output --query --vpc-id"),
    (
        "aws ec2 create-vpc-endpoint",
        "--no-private-dns-enabled --output --query --security-group-ids --service-name --subnet-ids --vpc-endpoint-type --vpc-id",
    ),
    ("aws ec2 delete-security-group", "--group-id"),
    ("aws ec2 delete-vpc-endpoints", "--vpc-endpoint-ids"),
    ("aws ec2 describe-vpc-endpoints", "--output --query --vpc-endpoint-ids"),
    ("aws route53 change-resource-record-sets", "--change-batch --hosted-zone-id"),
    ("aws route53 create-hosted-zone", "--caller-reference --name --output --query --vpc"),
    ("aws route53 delete-hosted-zone", "--id"),
    ("aws route53 list-hosted-zones-by-vpc", "--output --query --vpc-id --vpc-region"),
    ("az network nic show", "--ids --output --query"),
    (
        "az network private-dns link vnet create",
        "--name --registration-enabled --resource-group --virtual-network --zone-name",
    ),
    ("az network private-dns link vnet delete", "--name --resource-group --yes --zone-name"),
    (
        "az network private-dns record-set a add-record",
        "--ipv4-address --record-set-name --resource-group --zone-name",
    ),
    ("az network private-dns zone create", "--name --resource-group"),
    ("az network private-dns zone delete", "--name --resource-group --yes"),
    (
        "az network private-endpoint create",
        "--connection-name --location --manual-request --name --output --private-connection-resource-id --query --resource-group --subnet --vnet-name",
    ),
    ("az network private-endpoint delete", "--ids"),
    ("az network private-endpoint show", "--ids --output --query"),
    (
        "az network vnet subnet update",
        "--name --private-endpoint-network-policies --resource-group --vnet-name",
    ),
    ("gcloud compute addresses create", "--project --region --subnet"),
    ("gcloud compute addresses delete", "--project --quiet --region"),
    ("gcloud compute addresses describe", "--format --project --region"),
    (
        "gcloud compute firewall-rules create",
        "--action --destination-ranges --direction --network --project --rules",
    ),
    ("gcloud compute firewall-rules delete", "--project --quiet"),
    (
        "gcloud compute forwarding-rules create",
        "--address --network --project --region --target-service-attachment",
    ),
    ("gcloud compute forwarding-rules delete", "--project --quiet --region"),
    ("gcloud compute forwarding-rules describe", "--format --project --region"),
    ("gcloud dns managed-zones create", "--description --dns-name --networks --project --visibility"),
    ("gcloud dns managed-zones delete", "--project"),
    ("gcloud dns record-sets create", "--project --rrdatas --ttl --type --zone"),
    ("gcloud dns record-sets delete", "--project --type --zone"),
    ("terraform state rm", ""),
];

#[test]
fn the_commands_of_the_clouds_are_those_that_were_compared_with_their_programs() {
    let mut unused: BTreeSet<&str> = COMPARED.iter().map(|(command, _)| *command).collect();
    for (at, words) in commands() {
        if !PROGRAMS.contains(&words[0].as_str()) {
            continue;
        }
        let text = words.join(" ");
        let row = COMPARED.iter().find(|(command, _)| text.starts_with(&format!("{command} ")));
        let (command, flags) =
            row.unwrap_or_else(|| panic!("{at}: was it compared? Then it has a row in COMPARED"));
        let known: BTreeSet<&str> = flags.split(' ').collect();
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            let flag = flag.split('=').next().unwrap_or_default();
            assert!(known.contains(flag), "{at}: was {flag} compared?");
        }
        unused.remove(command);
    }
    assert!(unused.is_empty(), "the documentation does not use {unused:?} any more");
}
