"""What instances must be like, where no type is named: attributes as launch templates take them.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceRequirementsRequest.html
"""

from __future__ import annotations

from twinfra.providers.aws.fields import Field, boolean, number, one_block, string, string_set


def _range(api: str, about: str, required: bool = False) -> Field:
    """From `min` to `max`, each of which may be left open."""
    return one_block(
        {
            "min": number("Min", required=required, about="At least this."),
            "max": number("Max", about="At most this."),
        },
        api,
        required=required,
        hollow=not required,
        about=about,
    )


_CHOICE = ("included", "excluded", "required")

INSTANCE_REQUIREMENTS: dict[str, Field] = {
    "accelerator_count": _range("AcceleratorCount", "How many accelerators; 0 at most rules them out."),
    "accelerator_manufacturers": string_set("AcceleratorManufacturers", about="Makers of accelerators."),
    "accelerator_names": string_set("AcceleratorNames", about="Accelerators, such as a100 or h100."),
    "accelerator_total_memory_mib": _range("AcceleratorTotalMemoryMiB", "Memory of all accelerators."),
    "accelerator_types": string_set("AcceleratorTypes", about="Kinds of accelerators: gpu, fpga, ..."),
    "allowed_instance_types": string_set(
        "AllowedInstanceTypes",
        conflicts=("excluded_instance_types",),
        about="Types that alone count; may have a star.",
    ),
    "bare_metal": string("BareMetal", allowed=_CHOICE, about="Whether bare metal counts."),
    "baseline_ebs_bandwidth_mbps": _range("BaselineEbsBandwidthMbps", "Bandwidth to volumes."),
    "burstable_performance": string(
        "BurstablePerformance", allowed=_CHOICE, about="Whether types that burst count."
    ),
    "cpu_manufacturers": string_set("CpuManufacturers", about="Makers of processors."),
    "excluded_instance_types": string_set(
        "ExcludedInstanceTypes", about="Types that do not count; may have a star."
    ),
    "instance_generations": string_set("InstanceGenerations", about="current or previous."),
    "local_storage": string("LocalStorage", allowed=_CHOICE, about="Whether local disks count."),
    "local_storage_types": string_set("LocalStorageTypes", about="hdd or ssd."),
    "max_spot_price_as_percentage_of_optimal_on_demand_price": number(
        "MaxSpotPriceAsPercentageOfOptimalOnDemandPrice",
        conflicts=("spot_max_price_percentage_over_lowest_price",),
        about="Spot price at most, in percent of the cheapest fitting price.",
    ),
    "memory_gib_per_vcpu": _range("MemoryGiBPerVCpu", "Memory for each processor."),
    "memory_mib": _range("MemoryMiB", "Memory.", required=True),
    "network_bandwidth_gbps": _range("NetworkBandwidthGbps", "Bandwidth of the network."),
    "network_interface_count": _range("NetworkInterfaceCount", "How many network interfaces."),
    "on_demand_max_price_percentage_over_lowest_price": number(
        "OnDemandMaxPricePercentageOverLowestPrice",
        about="Price at most, in percent above the cheapest fitting type.",
    ),
    "require_hibernate_support": boolean("RequireHibernateSupport", about="Whether it must hibernate."),
    "spot_max_price_percentage_over_lowest_price": number(
        "SpotMaxPricePercentageOverLowestPrice",
        about="Spot price at most, in percent above the cheapest fitting type.",
    ),
    "total_local_storage_gb": _range("TotalLocalStorageGB", "Local disks together."),
    "vcpu_count": _range("VCpuCount", "How many processors.", required=True),
}
