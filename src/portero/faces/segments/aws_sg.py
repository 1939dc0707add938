"""AWS security groups: a group that may open the ports, for the interfaces of the hosts that may send."""

from __future__ import annotations

from portero.core.text import Text
from portero.faces.segments.target import Rules, Target

# Source: aws ec2 create-security-group, authorize-security-group-egress; groups only allow, they never deny.
_NAME = "portero-mail-senders"
_EVERYTHING = "'IpProtocol=-1,IpRanges=[{CidrIp=0.0.0.0/0}]'"


def _permissions(rules: Rules) -> str:
    return " ".join(
        f"'IpProtocol=tcp,FromPort={port},ToPort={port},IpRanges=[{{CidrIp=0.0.0.0/0}}],Ipv6Ranges=[{{CidrIpv6=::/0}}]'"
        for port in rules.ports
    )


def _apply(rules: Rules) -> list[str]:
    create = f'aws ec2 create-security-group --group-name {_NAME} --vpc-id "$VPC"'
    lines = [
        "set -eu",
        ': "${VPC:?}"',
        f"group=$({create} --description 'May open mail ports' --query GroupId --output text)",
        # A new group may open everything; it is to add the mail ports and nothing else.
        f'aws ec2 revoke-security-group-egress --group-id "$group" --ip-permissions {_EVERYTHING}',
        f'aws ec2 authorize-security-group-egress --group-id "$group" --ip-permissions {_permissions(rules)}',
    ]
    for name, held in (
        ("addresses.private-ip-address", rules.version_4),
        ("ipv6-addresses.ipv6-address", rules.version_6),
    ):
        if held:
            lines.append(
                f"aws ec2 describe-network-interfaces --filters Name={name},Values={','.join(held)} "
                "--query 'NetworkInterfaces[].[NetworkInterfaceId,Groups[].GroupId]' --output text"
            )
    lines.append(
        "aws ec2 describe-security-groups --filters Name=egress.ip-permission.protocol,Values=-1 "
        "--query 'SecurityGroups[].[GroupId,GroupName]' --output text"
    )
    return lines


def _undo(_: Rules) -> list[str]:
    find = (
        f'aws ec2 describe-security-groups --filters Name=group-name,Values={_NAME} Name=vpc-id,Values="$VPC"'
    )
    return [
        "set -eu",
        ': "${VPC:?}"',
        f"group=$({find} --query 'SecurityGroups[0].GroupId' --output text)",
        'aws ec2 delete-security-group --group-id "$group"',
    ]


TARGET = Target(
    "aws-sg",
    "portero-mail-aws.sh",
    "portero-mail-aws-undo.sh",
    "#",
    _apply,
    _undo,
    (
        Text(
            "Set VPC before. Groups only allow: it makes one that may open the ports and lists the interfaces to add it to."
        ),
        Text(
            "It also lists the groups that may open everything: nothing is refused until you narrow those, and the undo is "
            "to widen them again before this group is deleted."
        ),
    ),
    logs=False,
)
